"""The memory of results: whether it is within a stated limit, now if sizes are known, else at the call."""

from collections.abc import Iterable
from typing import Any

from symback import errors
from symback.codegen.source.text import string_text
from symback.nodes.node import Node
from symback.nodes.shapes import product, size_symbols
from symback.structure import Nested, leaves_of, packed_in


def limit_lines(outputs: Nested, limit: int | None, builder: Any) -> list[str]:
    """Return the statements that refuse to run where a result would take more bytes than the limit.

    Raises:
        MemoryLimitError: If one takes more at any sizes.
    """
    if limit is None:
        return []
    packed = {part for item in packed_in(outputs) for part in item.parts}
    lines: dict[str, str] = {}
    for node in leaves_of(outputs):
        if node.shape:
            whole = len(node.shape) > 1 and node not in packed
            lines.update(_check_of(node, limit, builder, errors.COMPRESSED if whole else "raise memory_limit"))
    return [line for test, refusal in lines.items() for line in (test, f"    {refusal}")]


def _check_of(node: Node, limit: int, builder: Any, cure: str) -> dict[str, str]:
    needed = product((node.dtype.itemsize, *node.shape))
    if isinstance(needed, int):
        if needed > limit:
            raise errors.over_limit(node.shape, needed, limit, cure)
        return {}
    text = builder.size(needed).text
    found = ", ".join(f"{name} = {{{builder.size(symbol).text}}}" for name, symbol in _symbols(node.shape))
    said = f"a result of shape {errors.show_shape(node.shape)} takes {{{text}:,}} bytes ({found})"
    return {
        f"if {text} > {limit}:": f"raise MemoryLimitError(f{string_text(f'{said}, memory_limit is {limit:,}; {cure}')})"
    }


def _symbols(shape: Iterable[Any]) -> list[tuple[str, Any]]:
    return sorted({(symbol.name, symbol) for size in shape for symbol in size_symbols(size)}, key=lambda pair: pair[0])
