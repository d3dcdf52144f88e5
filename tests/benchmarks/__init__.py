"""What symback's code costs beside hand-written NumPy and its peers: ``python -m tests.benchmarks``."""
