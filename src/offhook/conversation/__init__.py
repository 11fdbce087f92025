"""What was said, and what to say."""
