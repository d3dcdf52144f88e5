"""Arrays in emitted modules: small ones as numbers, large ones as the text of their bytes."""

import base64
import textwrap
from typing import Any

import numpy as np

from symback.codegen.source.layout import WIDTH
from symback.codegen.source.text import dtype_name, float_text

_LITERAL_ENTRIES = 256
"""Constants up to this size are written as numbers, larger ones as base64 of their bytes."""


def constant_lines(name: str, array: np.ndarray[Any, Any]) -> list[str]:
    """Write the definition of an array; long ones are tables, as a person would set them.

    Args:
        name: What it is called in the module.
        array: Any array of numbers or truth values.

    Returns:
        Statements that make the same array, to the last bit.

    Example:
        >>> constant_lines("CONSTANT", np.array([1.0, 2.5]))
        ['CONSTANT = np.array([1.0, 2.5], dtype=np.float64)']
    """
    if array.size > _LITERAL_ENTRIES:
        return _encoded(name, array)
    values = _list_text(array.tolist()) if array.dtype.kind == "f" else repr(array.tolist())
    dtype = dtype_name(array.dtype)
    if not array.shape:
        return [f"{name} = np.{dtype}({values})"]
    suffix = f".reshape({array.shape})" if array.size == 0 else ""
    line = f"{name} = np.array({values}, dtype=np.{dtype}){suffix}"
    if len(line) <= WIDTH:
        return [line]
    rows = textwrap.wrap(values[1:-1], WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return [f"{name} = np.array([", *(f"    {row}" for row in rows), f"], dtype=np.{dtype})  # fmt: skip"]


def _encoded(name: str, array: np.ndarray[Any, Any]) -> list[str]:
    little = array.astype(array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode("ascii")
    shape = ", ".join(map(str, array.shape))
    return [
        f"{name} = base64.b64decode(",
        f'    "{text}"',
        ")",
        f'{name} = np.frombuffer({name}, dtype="{little.dtype.str}").reshape({shape})',
        f"{name} = {name}.astype(np.{dtype_name(array.dtype)})",
    ]


def _list_text(values: Any) -> str:
    if isinstance(values, list):
        return f"[{', '.join(map(_list_text, values))}]"
    return float_text(values)
