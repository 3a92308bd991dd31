"""What is on the screen. A widget shows what it is given and says what was done; it computes no number."""
