"""The NumPy spelling of arrays that are zero but for a diagonal: written into the view of that diagonal."""

from fractions import Fraction
from typing import Any

from symback.codegen.source.text import LETTERS, Text, call, dtype_argument, exact_text
from symback.nodes.classify import Product
from symback.nodes.contract import Contract
from symback.nodes.leaves import ExactValue
from symback.nodes.node import Node


def diagonal_text(builder: Any, node: Contract, product: Product) -> Text:
    """Write an identity, a diagonal matrix, or zeros and entries into their diagonal."""
    if len(product.out) == 2:
        return _matrix_text(builder, node, product)
    return Text(builder.fill_zeros(node, node.shape, lambda name: diagonal_line(builder, node, product, name)))


def _matrix_text(builder: Any, node: Contract, product: Product) -> Text:
    size, dtype = builder.size(node.shape[0]).text, dtype_argument(node.dtype)
    if not product.cores and product.coefficient == 1:
        return call("np.eye", f"{size}{dtype}")
    if not product.cores:
        value = call("np.full", size, f"{_number(product.coefficient, node)}{dtype}")
    else:
        value = builder.entries_of(node)
        value = call("np.full", size, value.signed(), depth=value.depth) if product.ones else value
    return call("np.diag", value.signed(), depth=value.depth)


def diagonal_line(builder: Any, node: Contract, product: Product, target: str, *, adds: bool = False) -> str:
    """Return the statement that writes the entries into the diagonal of `target`, or adds them to it."""
    value = builder.entries_of(node)
    pattern, _ = embed_pattern(product)
    operator, text = ("-=", value.wrapped(0, signed=False)) if adds and value.negative else ("=", value.signed())
    return f'np.einsum("{pattern}", {target})[...] {"+=" if adds and operator == "=" else operator} {text}'


def _number(coefficient: ExactValue, node: Node) -> str:
    """Write a number so that an array filled with it is of floats where it should be."""
    is_float = node.dtype.kind == "f" and isinstance(coefficient, int)
    return exact_text(Fraction(coefficient) if is_float else coefficient).signed()


def embed_pattern(p: Product) -> tuple[str, list[int]]:
    """Return the einsum pattern of the diagonal view that an embed is written to, and the labels of that view."""
    distinct = list(dict.fromkeys(p.out))
    letters = {label: LETTERS[k] for k, label in enumerate(distinct)}
    return f"{''.join(letters[label] for label in p.out)}->{''.join(letters[label] for label in distinct)}", distinct
