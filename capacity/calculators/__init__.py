"""Calculators: one-shot commands that need no file, like `capacity queue --rate 1200/s --service 9ms --servers 16`.

To add one: a module `NAME.py` here that ends in `CALCULATOR = Calculator(name, about, examples, options)`, and its name
in `capacity.calculators.registry.NAMES`. It imports nothing but `capacity.calculators.calculator`, so that help and
every other command start as fast as before; the work is in `NAME_answer.py`, which is imported when it is asked for.

- `options`: `Option(name, unit, help)`; the unit is a name of `capacity.units` ("POSITIVE_RATE", "SECONDS", "BYTES",
  "CEILING", "NUMBER" ...), or COUNT (a whole number), FLAG, TEXT, one of several words (`choices`), or FILE (the one
  positional argument, whose text is `given.text(name, what, form)`).
- `answered(given) -> Answer`: a pure function. `given.number("rate")` is a value in base units that must be there,
  `given.maybe("rate")` one that may be missing; `count`, `maybe_count`, `word`, `flag` likewise. What makes no sense
  together raises UsageError that names the option. A ValueError of `models` becomes one.
- `Answer`: rows of (key, label, value, unit, note, column), the headline, the model with its source and accuracy;
  `met=False` (a wish was missed, nothing feasible exists) makes exit code 1; an overload that nobody wished away is an
  answer like any other. A row with a `column` has one in the table over a range. None is shown as a dash; never inf.
- `explained(given, answer) -> list[Explanation]`, in `NAME_explained.py`: how every figure came about, collected by
  `capacity.calculators.explainer.Explainer`: a formula of `models.formulas` with its numbers, or the method with its
  source and accuracy where there is none. A test asks for every figure that an answer shows.

Ranges (`--rate 100..2000/s --points 20`), --format, --json, -o, --force and --explain come from the framework.
"""
