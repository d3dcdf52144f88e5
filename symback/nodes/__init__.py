"""The nodes of an expression graph: leaves, sums, products, and primitives applied to operands."""

from symback.nodes import protocols, rows, substitute, text

__all__ = ["protocols", "rows", "substitute", "text"]
