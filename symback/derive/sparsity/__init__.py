"""Sparse derivatives: the pattern from the graph, entries that are written directly, colours for the others."""
