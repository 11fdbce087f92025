"""What the telephone network says, in our words."""
