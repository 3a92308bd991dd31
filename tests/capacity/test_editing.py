from __future__ import annotations

import re
from typing import Any

import pytest

from capacity import editing, rewiring
from capacity.components import kinds
from capacity.document import Document, from_values, parse
from capacity.editing import placed_at, removed_at, with_value, without_value
from capacity.errors import DocumentError
from capacity.examples import names
from capacity.examples import text as example_text
from capacity.merging import same
from capacity.plan import as_given
from capacity.results import to_builtins
from capacity.rewriting import rewritten

ODD = "odd name.x"


def example(name: str = "shop") -> Document:
    return parse(example_text(name), f"{name}.toml")


def said(document: Document) -> str:
    return repr(to_builtins(as_given(document.topology).evaluation))


# An edit makes another document, is named in short, and leaves the one before as it was.
@pytest.mark.parametrize(
    ("path", "text", "name", "value"),
    [
        ("components.web.nodes", "9", "web.nodes = 9", 9),
        ("components.app.cpu_time.browse", "10ms", "app.cpu_time.browse 9ms → 10ms", "10ms"),
        ("components.app.cpu_time", '"10ms"', 'app.cpu_time { browse = "9ms", check… → 10ms', "10ms"),
        ("workload.classes.browse.rate", "950/s", "browse.rate 900/s → 950/s", "950/s"),
        ("components.redis.objects", "3_000_000", "redis.objects 2000000 → 3000000", 3_000_000),
        ("name", "2026", "name shop → 2026", "2026"),
        ("name", "my shop", 'name shop → "my shop"', "my shop"),
        ("resilience.deploy.surge", "50%", "resilience.deploy.surge = 50%", "50%"),
    ],
)  # fmt: skip
def test_a_value(path: str, text: str, name: str, value: Any) -> None:
    before = example()
    after = with_value(before, tuple(path.split(".")), text)
    assert after.name == name
    assert editing.value_at(after.document.values, tuple(path.split("."))) == value
    assert same(before.values, example().values)
    assert same(parse(rewritten(example_text("shop"), after.document.values), "x").values, after.document.values)


# What an edit does not touch is not read again; whatever the edit is, that makes no difference, to faults neither.
@pytest.mark.parametrize("name", ["shop", *(name for name in names() if name != "shop")])
def test_read_again(name: str) -> None:
    before = example(name)

    def outcome(values: dict[str, Any], parts: Any) -> object:
        try:
            return from_values(values, "again.toml", before=parts).topology
        except DocumentError as error:
            return error.problems

    tiers, classes = before.values["components"], before.values["workload"]["classes"]
    changed = [
        *(placed_at(before.values, ("components", tier, "kind"), kind) for tier in tiers for kind in kinds()),
        *(placed_at(before.values, ("components", tier, field), 1) for tier in tiers for field in tiers[tier]),
        *(removed_at(before.values, ("components", tier, field)) for tier in tiers for field in tiers[tier]),
        *(removed_at(before.values, ("components", tier)) for tier in tiers),
        *(removed_at(before.values, ("workload", "classes", one)) for one in classes),
    ]
    for values in changed:
        assert outcome(values, before.parts) == outcome(values, {})
    same_tiers = from_values({**before.values, "name": "other"}, "again.toml", before=before.parts).topology.components
    assert all(tier is before.topology.components[one] for one, tier in same_tiers.items())


# What is wrong names the edited field first, so that it can be shown beside it; the document stays as it was.
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("components.web.nodes", "0"),
        ("components.web.nodes", "many"),
        ("components.web.node", "c6i.huge"),
        ("components.web.cpu_time", "9 apples"),
        ("components.web.cpu_time", "\ud800"),
        ("components.web.cpu_time", "9" * 5000),
        ("components.web.cpu_time", "[" * 20000),
        ("components.web.host", "app"),
        ("components.web.nosuch", "1"),
        ("components.redis.origin", "web"),
        ("components.web.cpu_time.x", "1ms"),
        ("slo.availability", "120%"),
    ],
)
def test_a_wrong_value(path: str, text: str) -> None:
    keys = tuple(path.split("."))
    with pytest.raises(DocumentError) as caught:
        with_value(example(), keys, text)
    first = caught.value.problems[0].path
    assert first[:3] == keys[:3] or "circle" in str(caught.value)


# A value taken away leaves its default; one that is required is an error.
def test_without_a_value() -> None:
    found = without_value(example(), ("components", "app", "threads"))
    assert found.name == "remove app.threads"
    assert getattr(found.document.topology.components["app"], "threads", 0) is None
    with pytest.raises(DocumentError, match="cpu_time is missing"):
        without_value(example(), ("components", "app", "cpu_time"))
    with pytest.raises(DocumentError, match="nothing to remove"):
        without_value(example(), ("components", "app", "host"))


# A renamed tier or class is the same system by another name, in every example, and its name is nowhere left.
@pytest.mark.parametrize("new", ["zz", ODD])
@pytest.mark.parametrize("name", names())
def test_renames_change_names_only(name: str, new: str) -> None:
    document = example(name)
    for tier in document.values["components"]:
        found = rewiring.rename_tier(document, tier, new)
        assert found.name == f"{tier} → {new if new == 'zz' else f'{chr(34)}{new}{chr(34)}'}"
        assert rewiring.rename_tier(found.document, new, tier).document.values == document.values
        assert not rewiring.referrers(found.document, tier)
        assert list(found.document.values["components"]).index(new) == list(document.values["components"]).index(tier)
    for request_class in document.values["workload"]["classes"]:
        found = rewiring.rename_class(document, request_class, new)
        assert same(rewiring.rename_class(found.document, new, request_class).document.values, document.values)
        assert request_class not in re.findall(r"[\w-]+", repr(found.document.values["components"]))


# The evaluation of a system does not depend on what its tiers and classes are called.
@pytest.mark.parametrize("name", ["shop", "starter"])
def test_evaluation_follows_a_rename(name: str) -> None:
    document = example(name)
    before = said(document)
    for tier in list(document.values["components"])[:4]:
        after = said(rewiring.rename_tier(document, tier, "qqqq").document)
        assert numbers(after) == numbers(before)
    for request_class in document.values["workload"]["classes"]:
        after = said(rewiring.rename_class(document, request_class, "qqqq").document)
        assert numbers(after) == numbers(before)


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d+\.?\d*(?:e-?\d+)?", text)


# Every kind of tier can be added to every example, and called by a service where the kind can be called.
@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", names())
def test_a_new_tier_is_valid(name: str, kind: str) -> None:
    document = example(name)
    found = rewiring.add_tier(document, ODD, kind)
    assert found.name == f'add "{ODD}"'
    assert list(found.document.values["components"])[-1] == ODD
    assert not rewiring.referrers(found.document, ODD)
    caller = next(n for n, tier in document.values["components"].items() if tier["kind"] == "service")
    if kind in ("service", "database", "external"):
        called = rewiring.add_tier(document, "zz", kind, called_by=caller).document
        assert called.values["components"][caller]["calls"][-1] == {"to": "zz"}
        assert same(rewiring.remove_tier(called, "zz").document.values["components"].get("zz"), None)


# A copy has everything of its original but the calls to it, and stands behind it.
def test_a_copied_tier() -> None:
    found = rewiring.copy_tier(example(), "app", ODD).document
    assert list(found.values["components"])[:3] == ["web", "app", ODD]
    assert found.values["components"][ODD] == found.values["components"]["app"]
    assert not rewiring.referrers(found, ODD)


# Without a tier there are no calls to it; what cannot be without it is named, or goes along.
def test_a_removed_tier() -> None:
    found = rewiring.remove_tier(example(), "payments").document
    assert [call["to"] for call in found.values["components"]["app"]["calls"]] == ["redis", "mysql", "orders"]
    with pytest.raises(DocumentError, match=r"components\.redis\.origin: cannot be without mysql") as caught:
        rewiring.remove_tier(example(), "mysql")
    assert [problem.path[1] for problem in caught.value.problems] == ["redis"]
    gone = rewiring.remove_tier(example(), "mysql", with_dependents=True).document
    assert not {"mysql", "redis"} & set(gone.values["components"])
    assert [call["to"] for call in gone.values["components"]["app"]["calls"]] == ["payments", "orders"]
    with pytest.raises(DocumentError):
        rewiring.remove_tier(example(), "web")


# A call that only the removed class makes goes with it, instead of being made by everybody or by nobody.
def test_a_removed_class() -> None:
    found = rewiring.remove_class(example(), "browse").document
    assert [call["to"] for call in found.values["components"]["app"]["calls"]] == ["mysql", "payments", "orders"]
    assert "browse" not in repr(found.values)


# A new class has times wherever it arrives; a copied one does everything that its original does.
def test_new_classes() -> None:
    found = rewiring.add_class(example(), ODD, "5/s").document
    assert found.values["components"]["app"]["cpu_time"][ODD] == "9ms"
    copied = rewiring.copy_class(example(), "browse", ODD).document
    assert copied.values["components"]["app"]["calls"][0]["classes"] == ["browse", ODD]
    assert copied.values["slo"]["latency"][ODD] == {"p99": "300ms"}
    assert same(rewiring.remove_class(copied, ODD).document.values, example().values)


# Calls come, go and turn to other tiers; what cannot be called says so.
def test_calls() -> None:
    added = rewiring.add_call(example(), "web", "courier", timeout="1s")
    assert added.name == "web calls courier"
    assert added.document.values["components"]["web"]["calls"][1] == {"to": "courier", "timeout": "1s"}
    removed = rewiring.remove_call(added.document, "web", 1)
    assert removed.name == "web no longer calls courier"
    assert same(removed.document.values, example().values)
    turned = rewiring.rewire(example(), ("components", "web", "calls", 0, "to"), "courier")
    assert turned.name == "web.calls[0].to app → courier"
    with pytest.raises(DocumentError, match="did you mean courier"):
        rewiring.rewire(example(), ("components", "web", "calls", 0, "to"), "curier")
    with pytest.raises(DocumentError, match="circle"):
        rewiring.add_call(example(), "app", "web")
    with pytest.raises(DocumentError, match="unknown key"):
        rewiring.add_call(example(), "mysql", "web")


# Names that are taken, empty or no text are refused; unknown ones too.
@pytest.mark.parametrize("new", ["app", "", " ", "a\nb", "\x1b[31m"])
def test_names_that_no_tier_can_have(new: str) -> None:
    with pytest.raises(DocumentError):
        rewiring.rename_tier(example(), "web", new)
    with pytest.raises(DocumentError):
        rewiring.copy_tier(example(), "web", new)
    with pytest.raises(DocumentError):
        rewiring.add_tier(example(), new, "service")
    with pytest.raises(DocumentError, match="there is no tier"):
        rewiring.rename_tier(example(), "nosuch", "zz")


# An edited document knows the load that it was read with, and applies it once.
def test_load_is_applied_once() -> None:
    document = parse(example_text("shop"), "x", load_factor=2.0)
    after = with_value(document, ("components", "web", "nodes"), "9").document
    assert after.load_factor == 2.0
    assert after.topology.workload == document.topology.workload
