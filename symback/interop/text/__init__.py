"""Formulas in text: parsed to Python's syntax tree, of which few kinds of nodes are read; nothing is run."""
