"""The planner: tiers, nodes, money and files. Asks `models` for every law, and is asked by the screen and the shell."""

__version__ = "0.1.0"
