"""The terminal interface: knows widgets and asks `capacity` for every number."""
