"""Arguments of the form NAME=VALUE: shapes, dtypes, sizes."""

from collections.abc import Iterable, Sequence

from symback.errors import command as messages
from symback.errors.kinds import bad_dtype
from symback.interop.text.shapes import shape_from_text
from symback.nodes.dtypes import as_dtype
from symback.nodes.shapes import Shape


def pairs(option: str, items: Iterable[str], form: str) -> dict[str, str]:
    """Return values by name.

    Raises:
        InputError: If an item is no pair, or a name is there twice.
    """
    found: dict[str, str] = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name.strip().isidentifier():
            raise messages.bad_pair(option, item, form)
        if name.strip() in found:
            raise messages.twice(option, name.strip())
        found[name.strip()] = value.strip()
    return found


def shapes_of(items: Sequence[str]) -> dict[str, Shape]:
    """Return the shapes that ``--shape`` gives."""
    return {name: shape_from_text(text) for name, text in pairs("--shape", items, "NAME=SIZES, such as W=h,n").items()}


def dtypes_of(items: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return the dtype of each name, as ``--dtype`` gives it: one for all, or by name.

    Raises:
        InputError: If a name is unknown.
        DtypeError: If a dtype is not supported.
    """
    items = [part for item in items for part in item.split(",") if part]
    alone = [item for item in items if "=" not in item]
    if len(alone) > 1:
        raise messages.twice("--dtype", "all arrays")
    given = pairs("--dtype", [item for item in items if "=" in item], "x=float32, or float32 for all")
    unknown = [name for name in given if name not in names]
    if unknown:
        raise messages.unknown_names("--dtype", unknown, names, "the arrays are")
    return {name: _dtype(given.get(name, alone[0] if alone else "float64")) for name in names}


def _dtype(text: str) -> str:
    if not text.isalnum():
        raise bad_dtype(text)
    return as_dtype(text).name


def sizes_of(items: Sequence[str], known: Sequence[str]) -> dict[str, int]:
    """Return the integers that ``--size`` gives to symbolic sizes.

    Raises:
        InputError: If a name is unknown, or a value is no integer from 0.
    """
    given = pairs("--size", [part for item in items for part in item.split(",") if part], "n=4")
    for name, text in given.items():
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise messages.bad_pair("--size", f"{name}={text}", "n=4, with an integer from 0")
    unknown = [name for name in given if name not in known]
    if unknown:
        raise messages.unknown_names("--size", unknown, known, "the symbolic sizes are")
    return {name: int(text) for name, text in given.items()}
