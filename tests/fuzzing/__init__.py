"""Random graphs over the whole registry, held against many digits: ``python -m tests.fuzzing``."""
