"""The planner: tiers, nodes, money and files. Asks `models` for every law, and is asked by the screen and the shell."""
