"""The topology as a picture of characters: pure functions from topology and evaluation to a grid of styled cells."""
