"""Einstein notation as NumPy writes it, parsed into the integer labels of a Contract."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.leaves import as_node
from symback.nodes.node import Node


def numbers(operation: str, *nodes: Any) -> list[Node]:
    """Convert the operands, which must not be boolean."""
    operands = [as_node(node) for node in nodes]
    for operand in operands:
        if operand.dtype.kind == "b":
            raise errors.operand_dtype(operation, operand, "a number")
    return operands


def einsum(subscripts: str, *operands: Any) -> Node:
    """Sum of products in Einstein notation, as `numpy.einsum` has it, ellipsis included.

    Args:
        subscripts: Such as ``"ij,jk->ik"``; without ``->`` the labels that stand once, in alphabetical order.
        operands: One array for each group of labels. A size of 1 broadcasts.

    Raises:
        ShapeError: If the pattern is malformed, or sizes under one label differ.

    Example:
        >>> import symback as sb
        >>> A = sb.tensor("A", ("n", "n"))
        >>> sb.einsum("ii->i", A).shape
        (n,)
    """
    nodes = numbers("einsum", *operands)
    inputs, out = _parse(subscripts, nodes)
    sizes: dict[str, Any] = {}
    for node, letters in zip(nodes, inputs, strict=True):
        for letter, size in zip(letters, node.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known != size and size != 1 and known != 1:
                raise errors.label_mismatch(f"einsum {subscripts!r}", nodes, known, size)
            if known == 1:
                sizes[letter] = size
    number_of = {letter: number for number, letter in enumerate(sizes)}
    fresh = len(number_of)
    terms: list[tuple[Node, Labels]] = []
    for node, letters in zip(nodes, inputs, strict=True):
        labels = []
        for letter, size in zip(letters, node.shape, strict=True):
            labels.append(number_of[letter] if size == sizes[letter] else fresh)
            fresh += 1
        terms.append((node, tuple(labels)))
    return contract(terms, tuple(number_of[letter] for letter in out))


def _parse(subscripts: str, nodes: Sequence[Node]) -> tuple[list[list[str]], list[str]]:
    """Split a pattern into labels, with the axes of an ellipsis as labels ``.0``, ``.1`` … from the right."""
    if not isinstance(subscripts, str):
        raise errors.bad_subscripts(subscripts, "the pattern must be a string")
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    groups = left.split(",")
    if len(groups) != len(nodes):
        raise errors.bad_subscripts(subscripts, f"{len(groups)} groups of labels for {len(nodes)} operands")
    inputs = [_letters(subscripts, group, len(node.shape)) for group, node in zip(groups, nodes, strict=True)]
    dots = sorted({label for group in inputs for label in group if label[0] == "."}, key=lambda d: -int(d[1:]))
    if arrow:
        out = _letters(subscripts, right, len(right.replace("...", "")) + len(dots))
    else:
        letters = [label for group in inputs for label in group if label[0] != "."]
        out = dots + sorted(letter for letter in letters if letters.count(letter) == 1)
    known = {label for group in inputs for label in group}
    if len(set(out)) != len(out) or not known.issuperset(out):
        raise errors.bad_subscripts(subscripts, "an output label repeats or stands in no operand")
    return inputs, out


def _letters(subscripts: str, group: str, rank: int) -> list[str]:
    before, dots, after = group.partition("...")
    hidden = rank - len(before) - len(after)
    if not (before + after).isalpha() and before + after:
        raise errors.bad_subscripts(subscripts, "labels are letters, with at most one ellipsis in a group")
    if hidden < 0 or (hidden and not dots):
        raise errors.bad_subscripts(subscripts, f"{group!r} does not fit an operand with {rank} axes")
    return [*before, *(f".{k}" for k in reversed(range(hidden))), *after]
