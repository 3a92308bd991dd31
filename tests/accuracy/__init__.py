"""The measured accuracy of every law against its bar: `python -m tests.accuracy` writes docs/accuracy.md.

To add a family: a module here that ends in `FAMILY = Family(title, order, intro, [Comparison(...), ...])`; it is found by
itself. A comparison names the law, what it is held against and from where, the region, the bar (the worst error that is
allowed, and from where that bar is), and a function without arguments that measures: it returns the errors, or the worst
of them, as plain numbers. What takes more than about a second is marked `slow=True`: it is measured by
`python -m tests.accuracy --slow`, which keeps the worst error in tests/data/accuracy.json, and shown from there.

Errors of rounding are shown as the power of ten above them; they alone may differ from machine to machine.
"""
