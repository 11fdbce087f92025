"""Outside ears, minds and voices."""
