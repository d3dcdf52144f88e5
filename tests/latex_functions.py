"""What functions and products mean in print, for arrays whose last two axes are those of a matrix."""

import re

import numpy as np

from symback.op.table import PRIMITIVES


class MisfitError(Exception):
    """Shapes do not fit."""


def as_matrix(value):
    """Return an array as it stands in a formula."""
    value = np.asarray(value, dtype=float)
    if value.ndim == 4:
        return value.reshape(value.shape[0] * value.shape[1], -1)
    return value.reshape((*value.shape, *[1] * (2 - value.ndim)))


def is_number(node):
    """Is this made of digits alone, which stand for an array of them?"""
    return node[0] == "number" or (
        node[0] in ("negative", "group", "fraction", "product", "root", "power")
        and all(
            is_number(part)
            for piece in node[1:]
            for part in (piece if isinstance(piece, list) else [piece])
            if isinstance(part, tuple)
        )
    )


def times(one, other, lead):
    if (1, 1) in (one.shape[lead:], other.shape[lead:]):
        return one * other
    if one.ndim != lead + 2 or other.ndim != lead + 2 or one.shape[-1] != other.shape[-2]:
        raise MisfitError(f"a product of {one.shape[lead:]} and {other.shape[lead:]}")
    return one @ other


def spread(function, parts, lead):
    """Apply a function entry by entry; a scalar goes with every entry."""
    shapes = {part.shape[lead:] for part in parts} - {(1, 1)}
    if len(shapes) > 1:
        raise MisfitError(f"entry by entry, of {shapes}")
    return function(*parts)


def square(array):
    if array.shape[-1] != array.shape[-2]:
        raise MisfitError("a square matrix is wanted")
    return array


def _diag(parts, lead, axes):
    (array,) = parts
    if array.shape[-1] == 1:
        return array * np.eye(array.shape[-2])
    return np.diagonal(square(array), axis1=-2, axis2=-1)[..., None]


def _vec(parts, lead, axes):
    return parts[0].reshape((*parts[0].shape[:lead], -1, 1))


def _trace(parts, lead, axes):
    return np.trace(square(parts[0]), axis1=-2, axis2=-1)[..., None, None]


def _reduced(function, *, keeps=False):
    """Return a function over axes: what is left of a matrix is a column."""

    def apply(parts, lead, axes):
        (array,) = parts
        along = tuple(lead + axis for axis in axes) if axes else (-2, -1)
        value = function(array, along)
        if keeps:
            return value
        return value if not axes else value.reshape((*value.shape[:lead], -1, 1))

    return apply


def _log_sum_exp(array, along):
    return np.log(np.sum(np.exp(array), axis=along, keepdims=True))


def _flip(parts, lead, axes):
    (array,) = parts
    return array[..., ::-1, :] if array.shape[-1] == 1 else array[..., ::-1]


MATRICES = {
    r"\operatorname{diag}": _diag,
    r"\operatorname{vec}": _vec,
    r"\operatorname{tr}": _trace,
    r"\operatorname{flip}": _flip,
    r"\operatorname{tril}": lambda parts, lead, axes: np.tril(parts[0]),
    r"\operatorname{triu}": lambda parts, lead, axes: np.triu(parts[0]),
    r"\operatorname{softmax}": _reduced(lambda a, along: np.exp(a - _log_sum_exp(a, along)), keeps=True),
    r"\operatorname{logsumexp}": _reduced(_log_sum_exp),
    r"\max": _reduced(lambda a, along: np.max(a, axis=along, keepdims=True)),
    r"\min": _reduced(lambda a, along: np.min(a, axis=along, keepdims=True)),
    r"\operatorname{sg}": lambda parts, lead, axes: parts[0],
    r"\det": lambda parts, lead, axes: np.linalg.det(square(parts[0]))[..., None, None],
}


def _functions():
    """Return the elementwise functions by name, whether something stands below it, and number of arguments."""
    found = {(r"\exp", False, 1): PRIMITIVES["exp"]}
    for declared in PRIMITIVES.values():
        if declared.kind != "elementwise" or not isinstance(declared.latex, str):
            continue
        template = declared.latex.replace("{{", "«").replace("}}", "»")
        match = re.fullmatch(
            r"(\W?[^({]*?(?:«[^«]*»)?)(_«\{0\}»)?(?:\\left\((\{\d\}(?:, \{\d\})*)\\right\))?", template
        )
        if template == r"\left|{0}\right|":
            found[r"\left|", False, 1] = declared
        elif match and "{" not in match[1]:
            name = match[1].replace("«", "{").replace("»", "}")
            found.setdefault((name, bool(match[2]), declared.arity), declared)
    return found


FUNCTIONS = _functions()
