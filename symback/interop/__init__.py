"""Graphs in and out: JSON documents and SymPy expressions."""
