"""Writes docs/numerics.md: each naive spelling, its error and those of its derivatives, against 50 digits and more.

The reference is the spelling itself, differentiated by SymPy and evaluated by mpmath with so many digits that nothing
cancels; an infinite argument is one so large that no float64 is.
"""

import ast
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy

import symback as sb
from numerics_rows import ARRAYS, INF, SCALAR, Row
from symback.nodes.node import METHODS

EPS = float(np.finfo(float).eps)
TINIEST = float(np.finfo(float).smallest_subnormal)
BEYOND = mpmath.mpf(10) ** 400
"""Stands for infinity in the reference: a limit is what a float64 of the value there is."""

_SIDE = [1e-300, 1e-18, 0.5, 1.0, 30.0, 40.0, 700.0, 1e3, INF]
_MODERATE = [1e-300, 1e-18, 0.5, 1.0, 30.0]

POINTS: dict[str, list[Any]] = {
    "real": [*(-x for x in reversed(_SIDE)), 0.0, *_SIDE],
    "positive": [0.0, *_SIDE],
    "positive and 0": [0.0, *_SIDE],
    "above -1": [-0.999, -0.5, -1e-18, -1e-300, 0.0, *_SIDE],
    "moderate": [*(-x for x in reversed(_MODERATE)), 0.0, *_MODERATE],
    "vectors": [
        [0.3, -1.2, 2.0], [0.0, 0.0, 0.0], [1e3, 0.0, -1e3], [-1e3, 1e3, 1e3], [1e-300, 0.0, -1e-300],
        [-INF, 0.5, 1.0], [-1e3, -1.001e3, -999.0],
    ],
    "matrices": [
        [[0.3, -1.2, 2.0], [1e3, 999.0, -1e3]], [[0.0, 0.0, 0.0], [1e-300, 0.0, -1e-300]],
        [[-INF, 0.5, 1.0], [-1e3, -1.001e3, -999.0]],
    ],
    "finite vectors": [[0.3, -1.2, 2.0], [0.0, 0.0, 0.0], [1e3, 0.0, -1e3], [-1e3, 1e3, 1e3], [1e-300, 0.0, -1e-300]],
    "finite matrices": [[[0.3, -1.2, 2.0], [1e3, 999.0, -1e3]], [[0.0, 0.0, 0.0], [1e-300, 0.0, -1e-300]]],
    "norms": [[3.0, -4.0, 12.0], [1e-200, 2e-200, 0.0], [1e200, 0.0, -2e200], [1.0, 1e-300, 0.0]],
    "norms of rows": [[[3.0, -4.0, 12.0], [1e-200, 2e-200, 0.0]], [[1e200, 0.0, -2e200], [1.0, 1e-300, 0.0]]],
    "shifted": [[0.3, -1.2, 2.0], [1e8, 1e8 + 1, 1e8 + 2], [-1e15, -1e15, 1 - 1e15], [1e-150, 2e-150, 0.0]],
    "shifted rows": [[[0.3, -1.2, 2.0], [1e8, 1e8 + 1, 1e8 + 2]]],
}  # fmt: skip

Namespace = dict[str, Any]


# -- the spelling, in symback ------------------------------------------------------------------------------------


def _variables(row: Row) -> tuple[Any, Namespace]:
    """Return the variable a row is a function of, and the names its text may use."""
    shapes: dict[str, tuple[Any, ...]] = {"x": ("n",), "z": (3,), "Z": (2, 3)}
    name = next(name for name in shapes if name in _names(row))
    wrt = sb.tensor(name, shapes[name])
    return wrt, {name: wrt, "y": np.eye(3)[1], "Y": np.eye(3)[[1, 0]]}


def _names(row: Row) -> set[str]:
    return set(compile(row.text, row.text, "eval").co_names)


_SPECIAL = {name: getattr(sb.special, name) for name in ("erfc", "log1mexp", "log_erfc")}
_OURS: Namespace = {**METHODS, **{name: getattr(sb, name) for name in sb.__all__}, **_SPECIAL, "norm": sb.linalg.norm}


def both(row: Row) -> tuple[str, str]:
    """Return the body of the function that is emitted for a spelling, and for what it becomes."""
    wrt, names = _variables(row)
    texts = [row.text, row.becomes if row.becomes != "itself" else row.text]
    first, second = (sb.lambdify([wrt], eval(text, _OURS, names), tails=row.tails).source for text in texts)
    return _body(first), _body(second)


def _body(source: str) -> str:
    """Return the statements of the last function of a module but its docstring."""
    function = next(node for node in reversed(ast.parse(source).body) if isinstance(node, ast.FunctionDef))
    return "\n".join(map(ast.unparse, function.body[1:]))


@cache
def emitted(row: Row) -> Callable[[Any], list[Any]]:
    """Return the emitted function of value, first and second derivative."""
    wrt, names = _variables(row)
    value = eval(row.text, _OURS, names)
    if row.entrywise:
        first = sb.grad(sb.sum(value), wrt)
        outputs = [value, first, sb.grad(sb.sum(first), wrt)]
    else:
        first = sb.jacobian(value, wrt)
        outputs = [value, first, sb.jacobian(first, wrt)]
    return sb.lambdify([wrt], outputs, tails=row.tails)


# -- the same spelling, in SymPy -------------------------------------------------------------------------------


def _entrywise(function: Any) -> Any:
    return np.frompyfunc(function, 1, 1)


def _softmax(z: Any, axis: Any = None) -> Any:
    e = _entrywise(sympy.exp)(z)
    return e / np.sum(e, axis=axis, keepdims=True)


def _larger(x: Any, y: Any) -> Any:
    return sympy.Piecewise((x, x > y), (y, True))


_THEIRS: Namespace = {
    **{name: _entrywise(getattr(sympy, name)) for name in ("exp", "log", "sqrt", "tanh", "erfc")},
    "log1p": _entrywise(lambda x: sympy.log(1 + x)),
    "sigmoid": _entrywise(lambda x: 1 / (1 + sympy.exp(-x))),
    "abs": lambda x: _larger(x, -x),
    "maximum": _larger,
    "relu": lambda x: _larger(x, 0),
    "let": lambda name, value: value,
    "softmax": _softmax,
    "sum": np.sum,
    "mean": lambda z, **axis: np.mean(z, **axis) * sympy.Integer(1),
}


@cache
def reference(row: Row) -> tuple[Callable[..., Any], int]:
    """Return the function of mpmath that gives value, first and second derivatives, flat; and how many values."""
    wrt, names = _variables(row)
    shape = () if row.entrywise else wrt.shape
    symbols = sympy.symbols(f"x:{max(1, int(np.prod(shape)))}", real=True)
    given = symbols[0] if row.entrywise else np.array(symbols, dtype=object).reshape(shape)
    codes = {name: np.vectorize(sympy.Integer, otypes=[object])(value.astype(int)) for name, value in names.items()
             if isinstance(value, np.ndarray)}  # fmt: skip
    values = list(np.ravel(np.array(eval(row.text, _THEIRS, {**codes, next(iter(names)): given}), dtype=object)))
    firsts = [value.diff(x) for value in values for x in symbols]
    seconds = [first.diff(x) for first in firsts for x in symbols]
    names_of = [{"exp": _exp}, "mpmath"]
    return sympy.lambdify([symbols], [*values, *firsts, *seconds], names_of, cse=True), len(values)


def _exp(x: Any) -> Any:
    """Return exp(x), where x is beyond all floats the next power of two: mpmath takes its time there."""
    return mpmath.ldexp(1, int(x / mpmath.ln2)) if abs(x) > 1e300 else mpmath.exp(x)


def wanted(row: Row, point: Any) -> list[list[Any]]:
    """Return value, first and second derivative at a point, in mpmath."""
    if point in row.limits if isinstance(point, float) else False:
        return [[mpmath.mpf(value)] for value in row.limits[point]]
    function, count = reference(row)
    entries = [mpmath.mpf(entry) if np.isfinite(entry) else mpmath.sign(entry) * BEYOND for entry in np.ravel(point)]
    far = any(abs(entry) > 100 or 0 < abs(entry) < 1e-10 for entry in np.ravel(point) if np.isfinite(entry))
    with mpmath.workdps(1000 if far else 200):
        flat = list(function(entries))
    size = len(entries)
    return [flat[:count], flat[count : count * (1 + size)], flat[count * (1 + size) :]]


# -- errors ------------------------------------------------------------------------------------------------------


def errors(row: Row, least: float = 0.0) -> list[tuple[float, Any, float, Any]]:
    """Return for value, first and second derivative the largest error, and where it is: point, found, exact.

    The units are those of the page; none is smaller than `least`.
    """
    points = [point for point in POINTS[row.points] if point not in row.without]
    function = emitted(row)
    with np.errstate(all="ignore"):
        if row.entrywise:
            columns = function(np.array(points, dtype=float))
            found = [[[column[k]] for column in columns] for k in range(len(points))]
        else:
            found = [[np.ravel(result) for result in function(np.array(point))] for point in points]
    rows = [_errors_at(row, point, given, least) for point, given in zip(points, found, strict=True)]
    return [max((each[order] for each in rows), key=lambda entry: entry[0]) for order in range(3)]


def _errors_at(row: Row, point: Any, found: list[Any], least: float) -> list[tuple[float, Any, float, Any]]:
    exact = wanted(row, point)
    if row.entrywise:
        units = [[_place(float(value)) for value in values] for values in exact]
    else:
        unit = np.size(point) * EPS
        units = [[unit * float(scale) for scale in scales] for scales in _scales(np.ravel(point), exact)]
    result = []
    for order in range(3):
        every = [
            (_distance(float(a), b, max(unit, least, TINIEST)), point, float(a), b)
            for a, b, unit in zip(found[order], exact[order], units[order], strict=True)
        ]
        result.append(max(every, key=lambda entry: entry[0]))
    return result


def _distance(found: float, exact: Any, place: float) -> float:
    """Return how far a number is from the exact one, in units; no distance between the same infinities."""
    near = float(exact)
    if not np.isfinite(near) or not np.isfinite(found):
        return 0.0 if near == found else INF
    return float(abs(mpmath.mpf(found) - exact) / place)


def _place(value: float) -> float:
    """Return the unit in the last place of a number."""
    return float(np.spacing(abs(value))) if np.isfinite(value) else 1.0


def _scales(entries: Any, exact: list[list[Any]]) -> list[list[Any]]:
    """Return what errors of sums are relative to: what relative errors of the arguments make of each result.

    For second derivatives that is the largest of one result instead.
    """
    count, size = len(exact[0]), len(entries)
    sizes = [abs(mpmath.mpf(entry)) if np.isfinite(entry) else mpmath.mpf(0) for entry in entries]
    scales = []
    for order in range(2):
        slopes = [exact[order + 1][k * size : (k + 1) * size] for k in range(count * size**order)]
        spread = [sum(a * abs(b) for a, b in zip(sizes, row, strict=True)) for row in slopes]
        scales.append([abs(value) + more for value, more in zip(exact[order], spread, strict=True)])
    blocks = [exact[2][k * size**2 : (k + 1) * size**2] for k in range(count)]
    return [*scales, [max(map(abs, block)) for block in blocks for _ in block]]


# -- the page ----------------------------------------------------------------------------------------------------

HEAD = """\
# Numerics

What is typed naively is repaired before it is differentiated: `grad`, `jacobian`, `hessian`, `vjp`, `jvp` and
`lambdify` first replace spellings that overflow, underflow or cancel by functions that are stable by construction, by
named rules ([symback/rewrite/stability.py](../symback/rewrite/stability.py)). So the value is right, and so is every
derivative. The tables are written by `tests/numerics_page.py`; a test measures every row anew.

The reference is the spelling itself, differentiated by SymPy and evaluated with 200 to 1000 digits; at infinity, and
at 0 where the spelling has no value, it is the limit. A row is measured at 0, ±1e-300, ±1e-18, ±0.5, ±1, ±30, ±40,
±700, ±1000 and ±inf, as far as the function is defined there.

## Functions of a number

Largest error of value, first and second derivative, in units of the last place (ulp). *Tails* says that the
derivative is small far out, where `lambdify(..., tails="relative")` keeps its digits; with the default,
`tails="absolute"`, the error is as small in units of the last place of 1.

"""

ARRAYS_HEAD = """
## Functions of arrays

`z` has three entries, `Z` is 2 by 3, `y` and `Y` are one-hot codes. Measured at entries of ordinary size, at 0,
±1e-300, ±1000, -inf and, for norms, at 1e-200 and 1e200; means also at numbers that differ in their last digits.
Errors are in units of n·eps, n the number of entries, times what a relative error of the arguments makes of the
result: |f| + Σ |zᵢ ∂f/∂zᵢ|; for second derivatives times their largest entry.

"""

TAIL = """
## What holds beside the tables

**A literal zero annihilates.** `0 * f(x)` is 0 also where f(x) is infinite or NaN: a zero that is written in the
graph, or that a derivative puts there, is no number to be multiplied by but the absence of a term. It is the one
place where a rule changes a value that NumPy would compute; zeros in data multiply as NumPy multiplies them.

**Tails.** `y * (1 - y)` and `1 - y**2`, the derivatives of the logistic function and of tanh, are written with the
value y that the forward pass has. Far out they are 0 to the last place of 1. That is what a person writes, it costs
no further exponential, and no gradient that is added to others of ordinary size is worse for it. `tails="relative"`
writes `sigmoid_slope(x)` and the like, which keep all digits of numbers as small as 1e-300. So it is with
`sigmoid(z) - y`, the derivative of a cross-entropy with labels y by its logits, however the loss is spelled:
0 where the logistic function is a label to the last place; `tails="relative"` writes `logistic_residual(z, y)`.

**Branches.** What `where` does not take is kept out of the derivative, at every order, and is computed on operands
that are safe there, so that NumPy does not warn either ([conventions.md](conventions.md) says where that ends).

**Kinks.** At 0 a norm has the value 0 and the derivative 0, also when it is typed as a root of squares.

**Determinants.** `log(det(A))` is computed from the logarithms of the pivots, and `log(abs(det(A)))` too, so neither
overflows for large matrices; their gradient is the transposed inverse. For a negative determinant the first is NaN.

## What is not repaired

- `softmax` and its relatives where an entry is +inf, or all are -inf: NaN, as in SciPy.
- The tails of softmax: p (1 - p) for p next to 1 has the digits of p, with either option of `tails`.
- What is rounded before a repaired function gets it: `sigmoid(x - 1/3)` at -700 has the relative error of x - 1/3,
  times 700.
- Near a zero of the result, such as that of `log(exp(x) - 1)` at log(2), or of the second derivative of `log(1 + x**2)`
  at 1, the error is relative to the terms that cancel there.
- The derivatives of `log(erfc(x))` for negative x, which are as small as exp(-x**2), have the relative error of x**2.
- Squares that overflow outside of norms: `log(1 + x**2)` has the derivative 0 beyond 1e154, and NaN at infinity.
- A cross-entropy with the target 0 where the logit is -inf: 0 times -inf in data is NaN.
- At infinity: the second derivative of `log(erfc(x))` and `log(ndtr(x))` is NaN.
"""


def page() -> str:
    """Return the text of docs/numerics.md."""
    units = {True: "ulp", False: "n·eps"}
    parts = [HEAD, _table(SCALAR, units[True]), ARRAYS_HEAD, _table(ARRAYS, units[False]), TAIL]
    return "".join(parts)


def _table(rows: list[Row], unit: str) -> str:
    lines = [
        f"| spelling | what it becomes | value, {unit} | first derivative | second derivative | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        bounds = " | ".join(f"≤ {bound}" for bound in row.bounds)
        tails = "tails" if row.tails == "relative" else ""
        lines.append(f"| `{row.text}` | `{row.becomes}` | {bounds} | {tails} |")
    return "\n".join(lines) + "\n"
