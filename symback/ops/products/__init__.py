"""Products and what is made of their labels: transposes, diagonals, traces."""
