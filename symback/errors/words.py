"""How messages speak of shapes and nodes."""

from collections.abc import Iterable
from typing import Any


def show_shape(shape: Iterable[object]) -> str:
    """Write a shape as NumPy does: ``(n, 3)``, ``(n,)``, ``()``."""
    sizes = [str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def show(node: Any) -> str:
    """Name a node and its shape in a message: ``W1 (h, n)``."""
    return f"{node.short()} {show_shape(node.shape)}"


def listed(nodes: Iterable[Any]) -> str:
    """Name several nodes and their shapes."""
    return " and ".join(show(node) for node in nodes)


def show_number(*values: float) -> tuple[str, ...]:
    """Write numbers with nine digits, or with as many more as it takes to tell them apart."""
    for digits in (9, 12, 15, 17):
        texts = tuple(f"{value:.{digits}g}" for value in values)
        if len(set(texts)) == len(set(values)):
            break
    return texts
