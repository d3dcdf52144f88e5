"""Proof by numbers: the oracle that evaluates a graph node by node, and the gradient checker."""
