"""The command line: ``python -m symback check|emit|derive``."""
