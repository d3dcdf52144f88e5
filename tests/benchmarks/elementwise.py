"""Chains of twenty operations, entry by entry, on two long vectors: one of arithmetic, one with functions.

They have no root of a sum of squares: symback guards those against overflow, which the plain program does not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import symback as sb

from .contest import Call
from .peers import Task

BLOCK = 8192
"""Entries in a block: a few buffers of that length stay in the second-level cache."""


def arithmetic(n: Any, x: Any, y: Any) -> Any:
    """Arithmetic alone: NumPy's whole-array program, and that of the peers."""
    u = x * y + x
    r = u * u + 1
    v = (u - y) / r
    w = v * v - x
    s = (w + y) * (w - y)
    t = s * v + u
    return (t / n.sqrt(n.abs(t) + r) + w) * 0.5 - s


def arithmetic_graph() -> tuple[list[Any], Any]:
    """Arithmetic alone, in symback."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    u = sb.let("u", x * y + x)
    r = sb.let("r", u * u + 1)
    v = sb.let("v", (u - y) / r)
    w = sb.let("w", v * v - x)
    s = sb.let("s", (w + y) * (w - y))
    t = sb.let("t", s * v + u)
    return [x, y], (t / sb.sqrt(abs(t) + r) + w) * 0.5 - s


def arithmetic_block(x: np.ndarray, y: np.ndarray, out: np.ndarray, buffers: np.ndarray) -> None:
    """Arithmetic alone on one block, every operation in place."""
    u, r, v, w, s = buffers
    np.multiply(x, y, out=u)
    np.add(u, x, out=u)
    np.multiply(u, u, out=r)
    np.add(r, 1, out=r)
    np.subtract(u, y, out=v)
    np.divide(v, r, out=v)
    np.multiply(v, v, out=w)
    np.subtract(w, x, out=w)
    np.add(w, y, out=out)
    np.subtract(w, y, out=s)
    np.multiply(s, out, out=s)
    t = np.multiply(s, v, out=v)
    np.add(t, u, out=t)
    np.abs(t, out=u)
    np.add(u, r, out=u)
    np.sqrt(u, out=u)
    np.divide(t, u, out=out)
    np.add(out, w, out=out)
    np.multiply(out, 0.5, out=out)
    np.subtract(out, s, out=out)


def functions(n: Any, x: Any, y: Any) -> Any:
    """Arithmetic with exp, tanh, log1p and a root: NumPy's whole-array program, and that of the peers."""
    u = x * y + x
    r = n.sqrt(n.exp(u) + 1)
    v = n.tanh(u / r)
    w = n.exp(v * v) + n.log1p(r)
    s = (w - y) * (w + y)
    return (s * v + u) / (r + 2) - 0.25 * s


def functions_graph() -> tuple[list[Any], Any]:
    """Arithmetic with exp, tanh, log1p and a root, in symback."""
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
    u = sb.let("u", x * y + x)
    r = sb.let("r", sb.sqrt(sb.exp(u) + 1))
    v = sb.let("v", sb.tanh(u / r))
    w = sb.let("w", sb.exp(v * v) + sb.log1p(r))
    s = sb.let("s", (w - y) * (w + y))
    return [x, y], (s * v + u) / (r + 2) - 0.25 * s


def functions_block(x: np.ndarray, y: np.ndarray, out: np.ndarray, buffers: np.ndarray) -> None:
    """Arithmetic with exp, tanh, log1p and a root on one block, every operation in place."""
    u, r, v, s = buffers[:4]
    np.multiply(x, y, out=u)
    np.add(u, x, out=u)
    np.exp(u, out=r)
    np.add(r, 1, out=r)
    np.sqrt(r, out=r)
    np.divide(u, r, out=v)
    np.tanh(v, out=v)
    np.multiply(v, v, out=s)
    np.exp(s, out=s)
    np.log1p(r, out=out)
    np.add(s, out, out=s)
    np.add(s, y, out=out)
    np.subtract(s, y, out=s)
    np.multiply(s, out, out=s)
    np.multiply(s, v, out=v)
    np.add(v, u, out=v)
    np.add(r, 2, out=r)
    np.divide(v, r, out=out)
    np.multiply(s, 0.25, out=s)
    np.subtract(out, s, out=out)


class Chain(NamedTuple):
    """A chain on whole arrays, as a graph, and on a block in place."""

    whole: Callable[..., Any]
    graph: Callable[[], tuple[list[Any], Any]]
    block: Callable[..., None]


CHAINS = {
    "arithmetic": Chain(arithmetic, arithmetic_graph, arithmetic_block),
    "functions": Chain(functions, functions_graph, functions_block),
}


def blocked(chain: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute a chain block by block, each operation in place: what there is to gain by hand."""
    out = np.empty_like(x)
    buffers = np.empty((5, min(BLOCK, x.size)))
    for start in range(0, x.size, BLOCK):
        part = out[start : start + BLOCK]
        CHAINS[chain].block(x[start : start + BLOCK], y[start : start + BLOCK], part, buffers[:, : part.size])
    return out


def blocked_call(task: Task) -> Call:
    """Set the blocked loop of a task up."""
    return partial(blocked, task.name.split(",")[0], *task.data)


def tasks(scale: str = "full") -> list[Task]:
    """Return the chains on vectors of several lengths."""
    sizes = {10_000: 1.0, 10_000_000: 0.3} if scale == "full" else {3: 1.0, 10_000: 1.0}
    return [chain(name, size, aim) for name in CHAINS for size, aim in sizes.items()]


def chain(name: str, size: int, aim: float) -> Task:
    """Return the task of a chain on vectors of so many entries."""
    random = np.random.default_rng(0)
    whole, graph, _ = CHAINS[name]
    return Task(
        f"{name}, {size:,} entries",
        whole,
        graph,
        partial(whole, np),
        [random.normal(size=size), random.normal(size=size)],
        without={"CasADi": "it interprets entry by entry"} if size > 1e6 else {},
        aim=aim,
    )
