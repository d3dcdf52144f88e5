"""Messages about what NumPy and SciPy have beyond symback: each names the nearest thing that works."""

import sys
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from types import FrameType
from typing import Any

from symback.errors.kinds import UsageError
from symback.errors.refusals import remembered

_NO_COMPLEX = "symback has no complex numbers; write the transform as a product with sb.cos and sb.sin of the angles"
_DATA = "the size of the result would depend on values; use a mask with sb.where, and sb.sum of the mask to count"
_LOOKUP = "write it with comparisons and sb.where, or compute it beforehand if it is constant"
_OUTSIDE = "symback knows no randomness; draw the numbers beforehand and make them an input"
_NO_PLACE = "nodes are not changed in place; use x = sb.set_at(x, index, value), or trace the code by sb.from_function"
_NO_TRUTH = "a graph has no truth value; use sb.all of a comparison for a boolean node, or compare values afterwards"
_ONE_SIDED = "polynomials are evaluated by sb.power and sb.sum; fit them beforehand"
_SETS = "sets of entries have no derivative; compute them beforehand"
_RUNNING = (
    "for a vector of n entries, use sb.max(sb.where(np.tri(n, dtype=bool), x, -np.inf), axis=1) for the running "
    "maximum (sb.min and np.inf for the minimum)"
)
_FILES = "a graph has no values; evaluate it with sb.lambdify first"

NEAREST: dict[str, str] = {
    **dict.fromkeys(("fft", "angle", "iscomplex", "iscomplexobj", "real_if_close"), _NO_COMPLEX),
    **dict.fromkeys(("nonzero", "flatnonzero", "argwhere", "unique", "trim_zeros"), _DATA),
    **dict.fromkeys(("unique_all", "unique_counts", "unique_inverse", "unique_values"), _DATA),
    **dict.fromkeys(("interp", "searchsorted", "digitize", "histogram", "histogram2d", "histogramdd"), _LOOKUP),
    **dict.fromkeys(("histogram_bin_edges", "bincount", "piecewise", "choose", "lexsort"), _LOOKUP),
    "random": _OUTSIDE,
    **dict.fromkeys(("copyto", "put", "put_along_axis", "putmask", "place", "fill_diagonal", "at"), _NO_PLACE),
    **dict.fromkeys(("allclose", "array_equal", "array_equiv", "may_share_memory", "shares_memory"), _NO_TRUTH),
    **dict.fromkeys(("polyfit", "polyval", "poly", "roots", "polyadd", "polysub", "polymul", "polydiv"), _ONE_SIDED),
    **dict.fromkeys(("polyder", "polyint", "vander"), _ONE_SIDED),
    **dict.fromkeys(("isin", "in1d", "intersect1d", "setdiff1d", "setxor1d", "union1d"), _SETS),
    **dict.fromkeys(
        ("save", "savez", "savez_compressed", "savetxt", "array2string", "array_repr", "array_str"), _FILES
    ),
    "vectorize": "call the function on whole arrays; symback's functions broadcast, and sb.where replaces if",
    "frompyfunc": "call the function on whole arrays; symback's functions broadcast, and sb.where replaces if",
    "apply_along_axis": "call the function on whole arrays with axis=, or sb.stack its results for x[i]",
    "apply_over_axes": "call the reduction with a tuple of axes",
    "nditer": "symback's functions work on whole arrays; loop over x[i] for rows",
    "ndenumerate": "symback's functions work on whole arrays; loop over x[i] for rows",
    "AxisConcatenator": "use np.concatenate for np.r_, and np.column_stack for np.c_",
    "where with one argument": _DATA,
    "array": "use sb.stack for a list of nodes; a node is an array already",
    "asarray": "use sb.stack for a list of nodes; a node is an array already",
    "linalg.eig": "use sb.linalg.eigh for a symmetric matrix; general eigenvalues are complex",
    "linalg.eigvals": "use sb.linalg.eigvalsh for a symmetric matrix; general eigenvalues are complex",
    "linalg.lstsq": "solve the normal equations: sb.linalg.solve(A.T @ A, A.T @ b)",
    "linalg.pinv": "use sb.linalg.solve(A.T @ A, A.T) for a matrix of full column rank",
    "linalg.matrix_rank": "the rank has no derivative; compute it beforehand",
    "linalg.cond": "divide the largest by the smallest of sb.linalg.svd's singular values",
    "linalg.tensorsolve": "reshape to a matrix and use sb.linalg.solve",
    "linalg.tensorinv": "reshape to a matrix and use sb.linalg.inv",
    "nanmedian": "use sb.sort and take the entries in the middle",
    "partition": "use sb.sort",
    "argpartition": "use sb.argsort",
    "sort_complex": "use sb.sort",
    "unwrap": "remove the jumps beforehand; they depend on values",
    "resize": "use sb.tile and a slice, or sb.reshape",
    "cov": "write it with X - X.mean(axis=1, keepdims=True) and @",
    "corrcoef": "write it with X - X.mean(axis=1, keepdims=True) and @",
    "frexp": "use sb.floor(sb.log2(sb.abs(x)))",
    "ldexp": "use x * 2.0**n",
    "nextafter": "it has no derivative; compute it beforehand",
    "spacing": "it has no derivative; use sb.abs(x) * np.finfo(x.dtype).eps",
    "stats": "the normal distribution function is sb.special.ndtr; write a density with sb.exp and sb.special.gammaln",
    "linalg.cho_factor": "use sb.linalg.cholesky and sb.linalg.solve_triangular, or sb.linalg.solve",
    "linalg.cho_solve": "use sb.linalg.solve, or sb.linalg.solve_triangular twice",
    "isclose": "use sb.abs(a - b) <= atol + rtol * sb.abs(b)",
    "require": "a node has no memory layout; use x itself, or x.astype(dtype)",
    **dict.fromkeys(("maximum.accumulate", "minimum.accumulate"), _RUNNING),
    "integrate": "write the quadrature as a weighted sum",
    "optimize": "hand scipy.optimize the compiled function and gradient (sb.lambdify)",
}
"""For what NumPy and SciPy have and symback has not, by qualified name or by the name of the module: what to do."""


@remembered
def not_supported_numpy(name: str, known: Collection[str] = (), library: str = "numpy") -> UsageError:
    """A function that has no counterpart; `name` is dotted, without the library, `known` are the names there are."""
    cure = NEAREST.get(name) or NEAREST.get(name.rpartition(".")[2]) or NEAREST.get(name.partition(".")[0])
    if not cure:
        near = get_close_matches(name, sorted(known), n=3, cutoff=0.75)
        near = near or get_close_matches(name.rpartition(".")[2], sorted(known), n=3, cutoff=0.75)
        cure = f"the nearest are {', '.join(f'sb.{found}' for found in near)}" if near else ""
    return UsageError(
        f"{library}.{name} is not supported on symback nodes; "
        + (cure or "docs/operations.md lists what is; write it with those, or declare it by sb.primitive")
    )


@remembered
def not_supported_option(name: str, options: Sequence[str], library: str = "numpy") -> UsageError:
    """Arguments of a function that its counterpart does not have."""
    cure = "leave them out"
    if any("where" in option for option in options):
        cure = "write np.where(mask, result, other) instead of where=, np.sum(x, where=mask) / np.sum(mask) for a mean"
    return UsageError(
        f"{library}.{name}: on symback nodes not all of NumPy's arguments are supported ({', '.join(options)}); {cure}"
    )


@remembered
def no_array(node: Any, known: Collection[str] = (), subject: str = "") -> UsageError:
    """A node used where NumPy wants an array; says which function of NumPy or SciPy wanted it."""
    wanted = _asking()
    subject = subject or f"{node.short()} is symbolic and"
    if wanted is None:
        return UsageError(
            f"{subject} cannot become an array; evaluate it with sb.lambdify, or use sb.stack for an array of nodes "
            "(in code that sb.from_function traces, np.array is that)"
        )
    library, name = wanted
    if name in known or name in _SPECIAL:
        cure = f"use sb.{name}"
    else:
        cure = NEAREST.get(name) or NEAREST.get(name.partition(".")[0]) or "evaluate it with sb.lambdify"
    return UsageError(f"{subject} cannot become an array, which {library}.{name} wants; {cure}")


_SPECIAL = frozenset(
    f"special.{name}" for name in ("logsumexp", "softmax", "log_softmax", "softplus", "polygamma", "betaln", "entr")
)


def _asking() -> tuple[str, str] | None:
    """Return the outermost function of NumPy or SciPy that the innermost call of them went through."""
    found = None
    for library, name in _library_calls(sys._getframe(2)):
        found = library, name
    return found


def _library_calls(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """Yield the public names of NumPy's and SciPy's functions from the inside outwards, up to other code."""
    while frame is not None:
        library, *parts = str(frame.f_globals.get("__name__", "")).split(".")
        if library == "symback":
            frame = frame.f_back
            continue
        if library not in ("numpy", "scipy"):
            return
        path = [part for part in parts if not part.startswith("_") and part != "lib"]
        owner = frame.f_code.co_qualname.partition(".")[0]
        if not owner.startswith(("_", "<")) and "array_api_compat" not in path:
            yield library, ".".join([*path[:1], owner])
        for inner in map(frame.f_locals.get, frame.f_code.co_freevars):  # the function that a wrapper wraps
            name, home = getattr(inner, "__name__", "_"), str(getattr(inner, "__module__", ""))
            if callable(inner) and not name.startswith("_") and home.startswith(f"{library}."):
                yield library, ".".join([*[part for part in home.split(".")[1:] if part[0] != "_"][:1], name])
        frame = frame.f_back
