"""What is kept how long: the rules, what goes by them and by size, and what would go."""
