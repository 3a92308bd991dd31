"""The mathematics: pure functions of numbers and arrays, usable without the planner."""
