"""Passes over the graph that is emitted: the order of products, plain spellings, nothing twice."""
