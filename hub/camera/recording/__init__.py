"""What of the pictures is kept as files."""
