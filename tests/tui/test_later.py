from __future__ import annotations

import asyncio
from functools import partial

from tui.later import Later


# Of what is put off again and again only the last is done, once; what is dropped is not done at all.
def test_only_the_last_is_done() -> None:
    done: list[str] = []

    async def script() -> None:
        later, dropped = Later(), Later()
        for name in ("one", "two", "three"):
            later.do(0.05, partial(done.append, name))
        dropped.do(0.01, partial(done.append, "dropped"))
        dropped.drop()
        await asyncio.sleep(0.3)

    asyncio.run(script())
    assert done == ["three"]
