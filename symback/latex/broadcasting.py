"""Operands as they are repeated along the axes of a result: transposed, or beside a vector of ones.

A vector is a column. An array of shape (n, 1) is that column too, one of shape (1, n) a row; where an
operand is repeated along an axis, a vector of ones says so: ``x 1^T`` has x in every column.
"""

from collections.abc import Mapping, Sequence

from symback.latex.meaning import Meaning
from symback.latex.terms import ATOM, Flipped, Term, juxtaposed, number_term, ones, said, transposed
from symback.nodes.contract import Labels
from symback.nodes.shapes import Shape, SizeExpr

_MOST_AXES = 2


def placed(term: Term, labels: Labels, out: Labels, sizes: Mapping[int, SizeExpr]) -> Term | None:
    """Arrange an operand along the axes `out` of a result: transposed, repeated; None if only indices can say it."""
    kept = tuple(label for label in labels if label in out)
    if labels == out or not kept:
        return term
    if len(set(labels)) < len(labels) or len(labels) > _MOST_AXES or len(out) > _MOST_AXES:
        return None
    if len(kept) == 2:
        return transposed(term)
    (label,) = kept
    is_row = len(labels) == 2 and labels[1] == label
    if len(out) == 1:
        return transposed(term) if is_row else term
    along_rows = label == out[1]
    oriented = term if is_row == along_rows else transposed(term)
    other = sizes[out[0] if along_rows else out[1]]
    if other == 1:
        return oriented
    return juxtaposed(ones(other), oriented) if along_rows else juxtaposed(oriented, transposed(ones(other)))


def spread(term: Term, shape: Shape, wanted: Shape) -> Term:
    """Write an operand as NumPy broadcasts it; scalars, and what has more than two axes, as they are."""
    if shape == wanted:
        return term
    offset = len(wanted) - len(shape)
    out = tuple(range(len(wanted)))
    labels = tuple(k if size == wanted[k] else k + len(wanted) for k, size in enumerate(shape, offset))
    sizes = dict(zip(out, wanted, strict=True))
    known = any(label in out for label in labels)
    body = placed(term.bare(), labels, out, sizes) if known else None
    return body._replace(negative=term.negative) if body else _repeated(term, shape, wanted)


def _repeated(term: Term, shape: Shape, wanted: Shape) -> Term:
    """Return an operand as it is, where its text leaves to the reader along which axes it repeats."""
    meaning = said("broadcast", term.bare(), data=(shape, wanted))
    turned = Flipped(term.text, term.level, Meaning("transpose", (meaning,))) if meaning and not shape else None
    return term._replace(meaning=meaning, flipped=turned)


def reshaped(term: Term, shape: Shape, wanted: Shape) -> Term:
    """Return an operand with a single entry as one of another shape; only beyond matrices that is another value."""
    if len(shape) <= _MOST_AXES and len(wanted) <= _MOST_AXES:
        return term
    return term._replace(meaning=said("reshaped", term.bare(), data=wanted), flipped=None)


def ones_term(shape: Sequence[SizeExpr]) -> Term:
    """Return an array of ones; it has one factor for each axis along which it repeats."""
    if len(shape) > _MOST_AXES:
        return Term(r"\mathbf{1}", ATOM, meaning=Meaning("ones", data=tuple(shape)))
    if all(size == 1 for size in shape):
        return number_term(1)
    columns = [transposed(ones(shape[1]))] if len(shape) == 2 and shape[1] != 1 else []
    return juxtaposed(*[ones(shape[0])] * (shape[0] != 1), *columns)


def zeros_term(shape: Sequence[SizeExpr]) -> Term:
    """Return an array of zeros."""
    return Term(r"\mathbf{0}", ATOM, meaning=Meaning("zeros", data=tuple(shape)))
