"""Parameters laid end to end in one vector, and the values and sizes of variables."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any, cast

import numpy as np
import sympy

from symback.codegen.source.runtime import converted
from symback.errors import objectives as messages
from symback.nodes.dtypes import promote
from symback.nodes.leaves import Variable
from symback.structure import Nested, refill

Array = np.ndarray[Any, Any]


class Unrolled:
    """Variables of fixed shapes, laid end to end in one vector.

    Attributes:
        variables: The variables, in their order in the vector.
        dtype: Of the vector: that to which the dtypes of the variables promote.
        size: The number of entries of the vector.
        places: Where in the vector each variable is.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = tuple(variables)
        self.dtype = promote(self.variables)
        shapes = [cast(tuple[int, ...], node.shape) for node in self.variables]
        ends = np.cumsum([0, *map(prod, shapes)]).tolist()
        self.size: int = ends[-1]
        self.places = [slice(start, stop) for start, stop in pairwise(ends)]

    def __str__(self) -> str:
        """Say how the vector is composed: ``W (4, 8) = 32, b (4,) = 4``."""
        counts = [place.stop - place.start for place in self.places]
        return ", ".join(messages.composed(node, count) for node, count in zip(self.variables, counts, strict=True))

    # -- numbers ------------------------------------------------------------------------------------------

    def pack(self, arrays: Sequence[Array]) -> Array:
        """Copy arrays of the variables' shapes into one new vector."""
        vector = np.empty(self.size, self.dtype)
        for node, place, array in zip(self.variables, self.places, arrays, strict=True):
            vector[place].reshape(node.shape)[...] = array
        return vector

    def unpack(self, vector: Array) -> list[Array]:
        """Return the parts of a vector, as views where the dtype is that of the variable."""
        parts = zip(self.variables, self.places, strict=True)
        return [vector[place].reshape(node.shape).astype(node.dtype, copy=False) for node, place in parts]

    def checked(self, name: str, given: Any) -> Array:
        """Return a vector of the right length and dtype; float64 is accepted for float32, as optimisers compute so."""
        if type(given) is np.ndarray and given.dtype == self.dtype and given.shape == (self.size,):
            return np.ascontiguousarray(given)
        try:
            vector = np.asarray(given)
        except (ValueError, TypeError) as reason:
            raise messages.no_vector(name, reason, str(self)) from None
        wanted = self.dtype if vector.dtype.kind != "f" else np.dtype("float64")
        if isinstance(given, np.ma.MaskedArray):
            raise messages.vector_dtype(name, "a masked array", self.dtype)
        if not np.can_cast(vector.dtype, wanted, "safe"):
            raise messages.vector_dtype(name, f"of dtype {vector.dtype}", self.dtype)
        if vector.shape != (self.size,):
            raise messages.vector_shape(name, vector.shape, self.size, str(self))
        return np.ascontiguousarray(vector, self.dtype)

    @property
    def is_one_vector(self) -> bool:
        """Is there one variable, which is a vector? Then it is the vector itself."""
        return len(self.variables) == 1 and len(self.variables[0].shape) == 1


# -- values for variables ---------------------------------------------------------------------------------


Sizes = dict[str, tuple[int, str]]
"""What is known of symbolic sizes: the number, and where it is from."""


def bound(nodes: Sequence[Variable], values: Sequence[Any], sizes: Sizes) -> list[Any]:
    """Return values as arrays of the dtypes and shapes of variables; the sizes found are added to `sizes`.

    Raises:
        InputError: If a shape does not fit, or two axes of one size differ.
        DtypeError: If a value would lose by conversion.
    """
    arrays = []
    for node, value in zip(nodes, values, strict=True):
        declared = tuple(str(size) if isinstance(size, sympy.Symbol) else None for size in node.shape)
        fixed = tuple(size if isinstance(size, int) else own for size, own in zip(node.shape, declared, strict=True))
        arrays.append(converted(node.name, value, node.dtype.name, fixed, sizes))
    for node, array in zip(nodes, arrays, strict=True):
        for axis, size in enumerate(node.shape):
            wanted = known(size, sizes)
            if isinstance(wanted, int) and wanted != array.shape[axis]:
                raise messages.compound_size(node, array.shape, axis, size, wanted)
    return arrays


def known(size: Any, sizes: Sizes) -> Any:
    """Return a size with numbers in the place of the sizes that are known: an integer if all are."""
    if isinstance(size, int):
        return size
    found = size.xreplace({symbol: sympy.Integer(sizes[symbol.name][0]) for symbol in size.free_symbols
                           if symbol.name in sizes})  # fmt: skip
    return int(found) if found.is_Integer else found


def matched(structure: Nested, names: Sequence[str], given: Any) -> list[Any]:
    """Return values in the order of the parameters, given in their structure, or by variable or name.

    Raises:
        InputError: If values are missing, there are too many, or they are arranged in another way.
    """
    try:
        return _taken(structure, given)
    except KeyError:
        pass
    if isinstance(given, Mapping):
        by_name = {key if isinstance(key, str) else getattr(key, "name", key): value for key, value in given.items()}
        if len(by_name) == len(given) and by_name.keys() == set(names):
            return [by_name[name] for name in names]
        raise messages.wrong_values(sorted(map(str, by_name)), names)
    raise messages.wrong_structure(refill(structure, names), given)


def _taken(structure: Nested, given: Any) -> list[Any]:
    """Return the values at the places of a structure; KeyError if there is another one."""
    if isinstance(structure, dict):
        if not isinstance(given, Mapping) or given.keys() != structure.keys():
            raise KeyError
        return [value for key, item in structure.items() for value in _taken(item, given[key])]
    if isinstance(structure, (list, tuple)):
        if not isinstance(given, (list, tuple)) or len(given) != len(structure):
            raise KeyError
        return [value for item, own in zip(structure, given, strict=True) for value in _taken(item, own)]
    return [given]


def fresh(stem: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, and take it."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name
