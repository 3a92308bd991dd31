"""The mathematics: pure functions of numbers and arrays, usable without the planner.

`models.queues` has the doors to all models of one queue. A law in closed form takes numbers or arrays; any other is run
over arrays by `models.arrays.over`. `docs/theory.md` lists which is which, and what an element costs.
"""
