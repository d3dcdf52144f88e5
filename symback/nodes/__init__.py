"""The nodes of an expression graph: leaves, sums, products, and primitives applied to operands."""

from symback.nodes import rows, substitute, text

__all__ = ["rows", "substitute", "text"]
