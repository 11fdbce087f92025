"""What is left of a call."""
