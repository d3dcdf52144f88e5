"""What the functions compute that neither NumPy nor SciPy has, each written in the plainest way."""
