"""Dtypes and their promotion: NumPy's rules (NEP 50), in which exact numbers are weak."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from symback.errors.kinds import bad_dtype

BOOL = np.dtype("bool")
INT64 = np.dtype("int64")
UINT64 = np.dtype("uint64")
FLOAT32 = np.dtype("float32")
FLOAT64 = np.dtype("float64")

_SUPPORTED = {np.dtype(name) for name in ("bool", "float32", "float64")} | {
    np.dtype(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)
}


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype meant, in native byte order, or raise if symback has no such dtype."""
    try:
        result: np.dtype[Any] = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        raise bad_dtype(dtype) from None
    if result not in _SUPPORTED or dtype is None:
        raise bad_dtype(dtype)
    native: np.dtype[Any] = np.dtype(result.name)
    return native


def is_float(dtype: np.dtype[Any]) -> bool:
    """Is this a dtype that derivatives can have?"""
    return dtype.kind == "f"


@cache
def _promote(strong: frozenset[np.dtype[Any]], weak: str) -> np.dtype[Any]:
    if not strong:
        return FLOAT64 if weak == "f" else INT64
    result: np.dtype[Any] = np.result_type(*strong)
    if weak == "f" and result.kind != "f":
        return FLOAT64
    if weak == "i" and result.kind == "b":
        return INT64
    return result


def promote(nodes: Sequence[Any]) -> np.dtype[Any]:
    """Return the dtype of an arithmetic operation on `nodes`; exact numbers do not widen others."""
    first: np.dtype[Any] = nodes[0].dtype
    for node in nodes:
        if node.dtype is not first or node.is_weak:
            break
    else:
        return first
    strong = frozenset([node.dtype for node in nodes if not node.is_weak])
    kinds = {node.dtype.kind for node in nodes if node.is_weak}
    return _promote(strong, "f" if "f" in kinds else "i" if kinds else "")


@cache
def to_float(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of a transcendental function of `dtype`, as NumPy has it for 32 and 64 bits."""
    return dtype if dtype.kind == "f" else FLOAT64
