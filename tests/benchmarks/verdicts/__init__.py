"""How often the checker's verdict is wrong, beside its peers: ``python -m tests.benchmarks.verdicts``."""
