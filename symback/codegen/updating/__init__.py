"""Functions that update their arguments in place."""
