"""NumPy's protocols on nodes: functions, ufuncs and their methods, ndarray's methods, and refusals that name a cure."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import symback as sb
from symback import errors
from symback.errors.numpy import NEAREST
from symback.nodes.node import METHODS
from symback.nodes.protocols import qualified_name

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
x = sb.tensor("x", (2, 3))


def evaluated(call: Callable[[Any], Any]) -> Any:
    """Return the value of a call on a node, at X."""
    outputs = call(x)
    return sb.lambdify([x], list(outputs) if isinstance(outputs, tuple) else outputs, check=False)(X)


CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda a: a.sum(0),
    "sum keepdims": lambda a: a.sum(axis=1, keepdims=True),
    "mean": lambda a: a.mean(-1),
    "prod": lambda a: a.prod(axis=0),
    "max": lambda a: a.max(axis=1),
    "min": lambda a: a.min(),
    "any": lambda a: (a > 1).any(axis=0),
    "all": lambda a: (a > -2).all(),
    "argmax": lambda a: a.argmax(axis=1),
    "argmin": lambda a: a.argmin(),
    "argsort": lambda a: a.argsort(axis=0),
    "argsort last": lambda a: a.argsort(),
    "cumsum": lambda a: a.cumsum(1),
    "cumprod": lambda a: a.cumprod(axis=0),
    "var": lambda a: a.var(0, None, None, 1),
    "std": lambda a: a.std(axis=1, ddof=1),
    "trace": lambda a: a.trace(),
    "diagonal": lambda a: a.diagonal(1),
    "dot": lambda a: a.dot(a.T),
    "clip": lambda a: a.clip(-1, 1),
    "clip below": lambda a: a.clip(min=0),
    "round": lambda a: a.round(1),
    "take": lambda a: a.take([0, 2], axis=1),
    "repeat": lambda a: a.repeat(2, axis=0),
    "ravel": lambda a: a.ravel(),
    "flatten": lambda a: a.flatten(),
    "reshape": lambda a: a.reshape(3, -1),
    "reshape tuple": lambda a: a.reshape((3, 2)),
    "transpose": lambda a: a.transpose(1, 0),
    "T": lambda a: a.T,
    "mT": lambda a: a.mT,
    "swapaxes": lambda a: a.swapaxes(0, 1),
    "squeeze": lambda a: a[:1].squeeze(0),
    "copy": lambda a: a.copy(),
    "conj": lambda a: a.conj(),
    "real": lambda a: a.real,
    "astype": lambda a: a.astype("float32"),
    "floor division": lambda a: a // 0.7,
    "reflected floor division": lambda a: 2 // a,
    "remainder": lambda a: a % 0.7,
    "reflected remainder": lambda a: 2 % a,
    "divmod": lambda a: divmod(a, 0.7),
    "and or not": lambda a: ((a > 0) & (a < 1)) | ~(a > -1),
    "abs": abs,
    "power": lambda a: 2**a,
    "matmul": lambda a: np.ones((4, 2)) @ a,
    "list": lambda a: [1.0, 2.0, 3.0] + a,  # noqa: RUF005
    "scalar": lambda a: np.float64(2) - a,
    "array": lambda a: np.arange(3.0) * a,
    "sum by name": lambda a: np.sum(a=a, axis=1),
    "clip by name": lambda a: np.clip(a=a, a_min=-1, a_max=1),
    "where": lambda a: np.where(a > 0, a, 0.1 * a),
    "add.reduce": np.add.reduce,
    "add.reduce axis": lambda a: np.add.reduce(a, axis=1, keepdims=True),
    "add.reduce none": lambda a: np.add.reduce(a, axis=None),
    "multiply.reduce": np.multiply.reduce,
    "maximum.reduce": np.maximum.reduce,
    "minimum.reduce": lambda a: np.minimum.reduce(a, 1),
    "logical_and.reduce": lambda a: np.logical_and.reduce(a > -1),
    "logical_or.reduce": lambda a: np.logical_or.reduce(a > 1),
    "logaddexp.reduce": np.logaddexp.reduce,
    "add.accumulate": np.add.accumulate,
    "multiply.accumulate": lambda a: np.multiply.accumulate(a, axis=1),
    "subtract.outer": lambda a: np.subtract.outer(a, np.arange(2.0)),
    "erf": scipy.special.erf,
    "expit": scipy.special.expit,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_a_call_on_a_node_means_what_it_means_on_an_array(call: Callable[[Any], Any]) -> None:
    found, wanted = evaluated(call), call(X)
    for ours, theirs in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        assert (np.shape(ours), ours.dtype) == (np.shape(theirs), theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_attributes_are_those_of_an_array() -> None:
    assert (x.ndim, x.size, x.shape) == (2, 6, (2, 3))
    n = sb.tensor("s", ("n", 3))
    assert str(n.size) == "3*n"
    assert x.copy() is x


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "item": (lambda: x.item(), "sb.lambdify"),
    "tolist": (lambda: x.tolist(), "sb.lambdify"),
    "sort": (lambda: x.sort(), "sb.sort"),
    "fill": (lambda: x.fill(0), "sb.full_like"),
    "put": (lambda: x.put(0, 1), "sb.set_at"),
    "flat": (lambda: x.flat, "ravel"),
    "in": (lambda: 1.0 in x, "sb.any"),
    "assignment": (lambda: x.__setitem__(0, 1), "sb.set_at"),
    "modulus": (lambda: pow(x, 2, 3), "%"),
    "fft": (lambda: np.fft.fft(x), "complex"),
    "eig": (lambda: np.linalg.eig(x), "eigh"),
    "lstsq": (lambda: np.linalg.lstsq(x, x), "normal equations"),
    "interp": (lambda: np.interp(x, [0, 1], [0, 1]), "sb.where"),
    "unique": (lambda: np.unique(x), "values"),
    "nonzero": (lambda: np.nonzero(x), "values"),
    "where": (lambda: np.where(x), "values"),
    "r_": (lambda: np.r_[x, x], "np.concatenate"),
    "searchsorted": (lambda: np.searchsorted(x, 1), "comparisons"),
    "histogram": (lambda: np.histogram(x), "comparisons"),
    "vectorize": (lambda: np.vectorize(abs)(x), "numpy.vectorize wants"),
    "apply_along_axis": (lambda: np.apply_along_axis(sum, 0, x), "axis="),
    "array": (lambda: np.array([x, x]), "sb.stack"),
    "add.at": (lambda: np.add.at(x, 0, 1), "sb.set_at"),
    "add.reduceat": (lambda: np.add.reduceat(x, [0]), "add.reduceat"),
    "out": (lambda: np.exp(x, out=np.zeros((2, 3))), "out="),
    "sum out": (lambda: np.sum(x, out=np.zeros(())), "out"),
    "where option": (lambda: np.exp(x, where=[True, False, True]), "where="),
    "logsumexp": (lambda: scipy.special.logsumexp(x), "use sb.special.logsumexp"),
    "softmax": (lambda: scipy.special.softmax(x), "use sb.special.softmax"),
    "solve_triangular": (lambda: scipy.linalg.solve_triangular(x, x), "use sb.linalg.solve_triangular"),
    "struve": (lambda: scipy.special.struve(1, x), "special.struve"),
}


@pytest.mark.parametrize(("call", "cure"), REFUSED.values(), ids=list(REFUSED))
def test_a_refusal_names_the_cure(call: Callable[[], Any], cure: str) -> None:
    with pytest.raises(errors.UsageError) as refusal:
        call()
    assert cure in str(refusal.value)


def dispatching() -> dict[str, Any]:
    """Return every public function of NumPy that asks its arguments how it is to be done, and every ufunc."""
    found = {}
    for module in (np, np.linalg, np.fft):
        for name in sorted(vars(module)):
            value = vars(module)[name]
            if name.startswith(("_", "sav")) or not callable(value) or isinstance(value, type):
                continue
            if isinstance(value, np.ufunc) or hasattr(value, "_implementation"):
                found[".".join(qualified_name(value))] = value
    return found


def outcome(function: Any, *arguments: Any) -> Any:
    """Return the result, or the TypeError or the error of symback in its place; any other error is one."""
    try:
        return function(*arguments)
    except (errors.SymbackError, TypeError) as refusal:
        return refusal


@pytest.mark.parametrize("function", dispatching().values(), ids=list(dispatching()))
def test_every_function_that_dispatches_works_or_says_what_does(function: Any) -> None:
    square, name = sb.tensor("A", (3, 3)), qualified_name(function)[1]
    most = function.nin if isinstance(function, np.ufunc) else 4
    for count in range(1, most + 1):
        found = outcome(function, *[square] * count)
        assert not isinstance(found, errors.UsageError) or name in METHODS or f"numpy.{name}" in str(found)
        assert isinstance(found, errors.SymbackError) or "argument" in str(found) or not isinstance(found, TypeError)


def test_nothing_that_works_is_said_not_to() -> None:
    inside_lists = {"array", "asarray"}  # what NumPy itself makes of a list of nodes
    assert not (NEAREST.keys() & METHODS.keys()) - inside_lists


def test_the_nearest_names_are_offered() -> None:
    assert "sb.linalg.svd" in str(errors.not_supported_numpy("linalg.svdd", METHODS))


def test_only_functions_that_users_call_are_offered() -> None:
    for call in (lambda: np.linalg.qr(x, mode="raw"), lambda: np.heaviside(x, x), lambda: np.isclose(x, x)):
        found = outcome(call)
        assert "factor" not in str(found)
        assert "logistic_loss" not in str(found)


def test_every_option_that_is_refused_is_named() -> None:
    for options in ({"out": np.zeros(3)}, {"initial": 2.0}, {"where": np.ones((2, 3), bool)}):
        (name,) = options
        if name in inspect.signature(sb.sum).parameters:
            continue
        with pytest.raises(errors.UsageError, match=name):
            np.sum(x, axis=0, **options)
        with pytest.raises(errors.UsageError, match=name):
            x.sum(axis=0, **options)
