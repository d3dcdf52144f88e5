"""The primitives and the functions made of them, in NumPy's names; importing it declares them all."""

from symback.ops import creation, elementwise, indexing, products, reduction, shaping

__all__ = ["creation", "elementwise", "indexing", "products", "reduction", "shaping"]
