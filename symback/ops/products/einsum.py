"""Einstein notation in every form NumPy accepts, parsed into the integer labels of a Contract."""

from collections.abc import Sequence
from typing import Any

from symback import errors
from symback.nodes.contract import Labels, contract
from symback.nodes.dtypes import BOOL, promote
from symback.nodes.leaves import as_node
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import integer_of
from symback.op.public import public

__all__ = ["einsum"]

Label = str | int
"""A letter of a pattern or an integer of a list; ``.0``, ``.1`` … are the axes of an ellipsis, from the last."""


def numbers(operation: str, *nodes: Any) -> list[Node]:
    """Convert the operands; a boolean one counts as 0 and 1 beside numbers, and is refused without any."""
    operands = [as_node(node) for node in nodes]
    for operand in operands:
        if operand.dtype.kind == "b" and all(other.dtype.kind == "b" for other in operands):
            raise errors.operand_dtype(operation, operand, "a number")
    wanted = promote(operands) if operands else BOOL
    return [METHODS["astype"](operand, wanted) if operand.dtype.kind == "b" else operand for operand in operands]


def arrays(operation: str, *nodes: Any) -> list[Node]:
    """Convert the operands of a function that makes arrays of Python's numbers: they are not weak there (as NumPy)."""
    operands = numbers(operation, *nodes)
    return [METHODS["astype"](operand, operand.dtype) if operand.is_weak else operand for operand in operands]


@public(
    "einsum",
    examples=(
        lambda f, make: f("ij,j->i", make("A", (2, 3)), make("x", (3,))),
        lambda f, make: f("ij,jk,kl", make("A", (2, 3)), make("B", (3, 2)), make("C", (2, 3)), optimize=True),
        lambda f, make: f(" i i ", make("A", (3, 3))),
        lambda f, make: f("iiJ,Jk->ik", make("A", (2, 2, 3)), make("B", (3, 2))),
        lambda f, make: f("...ij,...j->...i", make("A", (2, 2, 3)), make("x", (3,))),
        lambda f, make: f("ij,ij->j", make("A", (2, 3)), make("B", (1, 3))),
        lambda f, make: f(make("A", (2, 3)), [0, 1], make("B", (3, 2)), [1, 2], [2, 0]),
        lambda f, make: f(make("A", (2, 3)), [..., 7], make("x", (3,)), [7], [...]),
        lambda f, make: f(make("A", (3, 2)), [5, 3]),
        lambda f, make: f("ij->", make("A", (0, 2))),
        lambda f, make: f(",", make("a", ()), make("b", ())),
    ),
)
def einsum(*operands: Any, optimize: Any = False) -> Node:
    """Sum of products in Einstein notation, as `numpy.einsum` has it, ellipsis included.

    Args:
        operands: A pattern such as ``"ij,jk->ik"`` and one array for each of its groups; or arrays, each followed
            by the list of its labels, and perhaps the list of the output's: ``einsum(A, [0, 1], x, [1], [0])``.
            Without an output its labels are those that stand once, in alphabetical order. A size of 1 broadcasts.
        optimize: Accepted and not needed: emitted code multiplies in a good order anyway.

    Raises:
        ShapeError: If the pattern is malformed, or sizes under one label differ.

    Example:
        >>> import symback as sb
        >>> A = sb.tensor("A", ("n", "n"))
        >>> sb.einsum("ii->i", A).shape
        (n,)
    """
    if not operands:
        raise errors.bad_subscripts("", "a pattern and at least one operand are needed")
    if isinstance(operands[0], str):
        pattern, *given = operands
        nodes = arrays("einsum", *given)
        inputs, out = _parse(pattern, nodes)
    else:
        nodes = arrays("einsum", *operands[: len(operands) // 2 * 2 : 2])
        pattern = tuple(operands[1::2]) + ((operands[-1],) if len(operands) % 2 else ())
        inputs, out = _from_lists(pattern, operands, nodes)
    return _product(pattern, nodes, inputs, out)


def _product(pattern: Any, nodes: Sequence[Node], inputs: Sequence[list[Label]], out: Sequence[Label]) -> Node:
    """Number the labels; an axis of size 1 under a label of another size gets a label of its own."""
    if not nodes:
        raise errors.bad_subscripts(pattern, "at least one operand is needed")
    sizes: dict[Label, Any] = {}
    for node, labels in zip(nodes, inputs, strict=True):
        own: dict[Label, Any] = {}
        for label, size in zip(labels, node.shape, strict=True):
            known, mine = sizes.setdefault(label, size), own.setdefault(label, size)
            if mine != size or (known != size and size != 1 and known != 1):
                raise errors.label_mismatch(f"einsum {pattern!r}", nodes, mine if mine != size else known, size)
            if known == 1:
                sizes[label] = size
    number_of = {label: number for number, label in enumerate(sizes)}
    fresh = len(number_of)
    terms: list[tuple[Node, Labels]] = []
    for node, labels in zip(nodes, inputs, strict=True):
        numbered = []
        for label, size in zip(labels, node.shape, strict=True):
            numbered.append(number_of[label] if size == sizes[label] else fresh)
            fresh += 1
        terms.append((node, tuple(numbered)))
    return contract(terms, tuple(number_of[label] for label in out))


def _parse(pattern: str, nodes: Sequence[Node]) -> tuple[list[list[Label]], list[Label]]:
    """Split a pattern into labels."""
    left, arrow, right = pattern.replace(" ", "").partition("->")
    groups = [_letters(pattern, group) for group in left.split(",")]
    return _labelled(pattern, groups, _letters(pattern, right) if arrow else None, nodes)


def _letters(pattern: str, group: str) -> list[Any]:
    before, dots, after = group.partition("...")
    if before + after and not ((before + after).isalpha() and (before + after).isascii()):
        raise errors.bad_subscripts(pattern, "labels are letters, with at most one ellipsis in a group")
    return [*before, *([...] if dots else []), *after]


def _from_lists(pattern: Any, operands: Sequence[Any], nodes: Sequence[Node]) -> tuple[list[list[Label]], list[Label]]:
    """Take the labels from lists of integers, which stand behind their operands."""
    groups = []
    for given in pattern:
        items: list[Any] = list(given) if isinstance(given, (list, tuple)) else [None]
        if not all(item is ... or integer_of(item) in range(52) for item in items):
            raise errors.bad_subscripts(
                pattern, "give a pattern first, or behind each operand the list of its labels, integers from 0 to 51"
            )
        if items.count(...) > 1:
            raise errors.bad_subscripts(pattern, "an ellipsis may stand once in a list of labels")
        groups.append([item if item is ... else int(item) for item in items])
    out = groups.pop() if len(operands) % 2 else None
    return _labelled(pattern, groups, out, nodes)


def _labelled(
    pattern: Any, groups: list[list[Any]], right: list[Any] | None, nodes: Sequence[Node]
) -> tuple[list[list[Label]], list[Label]]:
    """Put labels in the place of each ellipsis, and find the output's labels if they are not given."""
    if len(groups) != len(nodes):
        raise errors.bad_subscripts(pattern, f"{len(groups)} groups of labels for {len(nodes)} operands")
    inputs = [_spread(pattern, group, len(node.shape)) for group, node in zip(groups, nodes, strict=True)]
    plain = [label for group in inputs for label in group if not _is_dot(label)]
    dots = sorted({str(label) for group in inputs for label in group if _is_dot(label)}, key=lambda d: -int(d[1:]))
    if right is None:
        once: list[Any] = [label for label in plain if plain.count(label) == 1]
        return inputs, [*dots, *sorted(once)]
    out = _spread(pattern, right, len(right) - right.count(...) + len(dots))
    if len(set(out)) != len(out) or not {*plain, *dots}.issuperset(out):
        raise errors.bad_subscripts(pattern, "an output label repeats or stands in no operand")
    return inputs, out


def _is_dot(label: Label) -> bool:
    return isinstance(label, str) and label[0] == "."


def _spread(pattern: Any, group: list[Any], rank: int) -> list[Label]:
    hidden = rank - len(group) + group.count(...)
    if hidden < 0 or (hidden and ... not in group):
        shown = "".join("..." if label is ... else str(label) for label in group)
        raise errors.bad_subscripts(pattern, f"{shown!r} does not fit an operand with {rank} axes")
    dots = [f".{k}" for k in reversed(range(hidden))]
    return [label for item in group for label in (dots if item is ... else [item])]
