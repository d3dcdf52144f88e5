"""What an emitted function returns: the structure of the results, and which of them are copied."""

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.codegen.source.layout import WIDTH
from symback.codegen.source.text import Text, float_text, string_text
from symback.codegen.speller import as_numpy
from symback.nodes.apply import Apply, Map, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of
from symback.structure import Nested, Packed, packed_in, refill

_MOST_BARE = WIDTH - len("    return ")


def return_line(outputs: Nested, texts: Sequence[str], builder: Any) -> str:
    """Write the return statement; a tuple that fits the line needs no parentheses."""
    text = _structure_text(refill(outputs, map(_Raw, texts)), builder)
    bare = isinstance(outputs, tuple) and len(outputs) > 1 and len(text) <= _MOST_BARE
    return f"return {text[1:-1] if bare else text}"


def copied_outputs(outputs: Sequence[Node]) -> list[Node]:
    """Return the outputs that are copied where they are returned."""
    return [node for node, copies in zip(outputs, _are_copied(outputs), strict=True) if copies]


def packed_sizes(outputs: Nested) -> list[sympy.Expr]:
    """Return the symbolic sizes among the parameters of objects made of several arrays."""
    return [size for packed in packed_in(outputs) for value in packed.parameters.values() for size in _sizes_in(value)]


def _sizes_in(value: Any) -> list[sympy.Expr]:
    if isinstance(value, slice):
        value = (value.start, value.stop)
    if isinstance(value, (tuple, list)):
        return [size for item in value for size in _sizes_in(item)]
    return [value] if isinstance(value, sympy.Expr) else []


# -- copies -----------------------------------------------------------------------------------------------


def returned(outputs: Sequence[Node], builder: Any) -> list[str]:
    """Return the texts of the results, some of them copied."""
    copied = _are_copied(outputs)
    return [
        f"np.array({text.signed()})" if copies else _as_result(node, text, builder.python)
        for node, text, copies in zip(outputs, builder.program.results, copied, strict=True)
    ]


def _are_copied(outputs: Sequence[Node]) -> list[bool]:
    """Say which results are copied: those that would be an input, or leave twice."""
    given: set[Node] = set()
    copied = []
    for node in outputs:
        base = _memory_of(node)
        owned = isinstance(base, (Variable, Constant)) or base in given or _is_readonly(node)
        given.add(base)
        copied.append(owned and bool(node.shape))
    return copied


def _as_result(node: Node, text: Text, python: set[Node]) -> str:
    """Make a scalar a NumPy number if it is an input, a Python number, or comes as an array without axes."""
    bare = unnamed(node)
    as_array = isinstance(bare, Map) and (
        bare.operation.name == "where" or not isinstance(primitive_of(bare).numpy, str)
    )
    if not node.shape and (node in python or isinstance(bare, Variable) or as_array):
        text = as_numpy(node, text)
    return text.signed()


_VIEWS = {"reshape_to", "slice_of", "flip_along"}


def _memory_of(node: Node) -> Node:
    """Return the node whose memory this one shares: views are followed down."""
    while True:
        node = unnamed(node)
        if isinstance(node, Contract) and _is_view(node):
            node = node.parts().cores[0][0]
        elif isinstance(node, Apply) and (node.operation.name in _VIEWS or _takes_one_place(node)):
            node = node.operands[0]
        else:
            return node


def _takes_one_place(node: Apply) -> bool:
    """Are the indices single integers? Then NumPy returns a view."""
    return node.operation.name == "gather" and not any(index.shape for index in node.operands[1:])


def _is_view(node: Contract) -> bool:
    product = classify(node)
    return product.coefficient == 1 and product.kind in ("transpose", "broadcast", "diagonal")


def _is_readonly(node: Node) -> bool:
    node = unnamed(node)
    seen = node
    while isinstance(seen, Apply) and seen.operation.name in _VIEWS:
        seen = unnamed(seen.operands[0])
    if not isinstance(seen, Contract):
        return False
    product = classify(seen)
    repeats = (
        bool(product.cores) and product.kind != "embed" and any(product.sizes[label] != 1 for label in product.ones)
    )
    return repeats or (seen is node and _is_view(seen))


# -- the structure ------------------------------------------------------------------------------------------


class _Raw:
    """An expression among the results, shown as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


def _structure_text(nested: Nested, builder: Any) -> str:
    if isinstance(nested, _Raw):
        return nested.text
    if isinstance(nested, Packed):
        return _packed_text(nested, builder)
    if isinstance(nested, dict):
        items = [f"{_key_text(key)}: {_structure_text(item, builder)}" for key, item in nested.items()]
        return f"{{{', '.join(items)}}}"
    opening, closing = "[]" if isinstance(nested, list) else "()"
    last = "," if isinstance(nested, tuple) and len(nested) == 1 else ""
    return f"{opening}{', '.join(_structure_text(item, builder) for item in nested)}{last}{closing}"


def _key_text(key: Any) -> str:
    if type(key) not in (str, int, bool, type(None)):
        raise errors.bad_output_key(key)
    return repr(key) if not isinstance(key, str) else string_text(key)


def _packed_text(packed: Packed, builder: Any) -> str:
    """Write the call that makes an object of arrays, and enter what it needs."""
    builder.program.imports.update(packed.imports)
    for helper in packed.helpers:
        builder.helper(helper)
    literals = {name: _literal_text(value, name, builder) for name, value in packed.parameters.items()}
    texts = [f"({part.text})" if _is_open(part.text, k, packed) else part.text for k, part in enumerate(packed.parts)]
    return packed.template.format(*texts, **literals)


def _is_open(text: str, place: int, packed: Packed) -> bool:
    """Does a part need parentheses, as the template indexes it or calls a method of it?"""
    followed = any(f"{{{place}}}{mark}" in packed.template for mark in ".[")
    closed = (ast.Name, ast.Call, ast.Subscript, ast.Attribute)
    return followed and not isinstance(ast.parse(text, mode="eval").body, closed)


def _literal_text(value: Any, name: str, builder: Any) -> str:
    """Write a parameter; an array becomes a constant of the module."""
    if isinstance(value, np.ndarray):
        return str(builder.constant(name.upper(), value))
    if isinstance(value, slice):
        bounds = ["" if x is None else _literal_text(x, name, builder) for x in (value.start, value.stop)]
        return ":".join([*bounds, *([str(value.step)] if value.step is not None else [])])
    if isinstance(value, tuple) and any(isinstance(item, slice) for item in value):
        return f"np.s_[{', '.join(_literal_text(item, name, builder) for item in value)}]"
    if isinstance(value, (tuple, list)):
        items = [_literal_text(item, name, builder) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, sympy.Expr):
        return str(builder.size(value).text)
    if isinstance(value, str):
        return string_text(value)
    return float_text(value) if isinstance(value, float) else repr(value)
