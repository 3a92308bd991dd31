"""What comes over the screen for a moment: questions, lists, help."""
