"""Functions of integers, entry by entry: bits, shifts, common divisors and multiples; none has a derivative.

The functions of bits are logic on booleans.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL, promote
from symback.nodes.exact_numbers import integer_range
from symback.nodes.leaves import Exact, as_node, constant
from symback.nodes.node import Node
from symback.nodes.shapes import broadcast_shapes
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import astype, logical_and, logical_not, logical_or, logical_xor

__all__ = [
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "gcd",
    "invert",
    "lcm",
    "left_shift",
    "right_shift",
]

_ARITY = {
    "bitwise_and": 2, "bitwise_or": 2, "bitwise_xor": 2, "invert": 1, "left_shift": 2, "right_shift": 2, "gcd": 2,
    "lcm": 2, "bitwise_count": 1,
}  # fmt: skip


def _signature(*given: Any) -> tuple[Any, Any]:
    *operands, name = given
    if _ARITY.get(name) != len(operands):
        raise errors.bad_node("integer_function", f"{str(name)[:40]!r} is no function of {len(operands)} operands")
    for operand in operands:
        if operand.dtype.kind not in "iu" or operand.dtype != operands[0].dtype:
            raise errors.operand_dtype(name, operand, "an integer, of one dtype with the others")
    dtype = np.dtype("uint8") if name == "bitwise_count" else operands[0].dtype
    return broadcast_shapes(name, operands), dtype


def _latex(operands: Sequence[str], parameters: Sequence[str]) -> str:
    name = parameters[0].replace("_", r"\_")
    return rf"\operatorname{{{name}}}\left({', '.join(operands)}\right)"


def _integers(make: Any, count: int) -> list[Node]:
    return [make(name, shape, dtype="int64", low=1, high=9) for name, shape in (("k", (2, 1)), ("m", (3,)))[:count]]


_apply: Function = primitive(
    "integer_function",
    signature=_signature,
    differentiable=False,
    arity=None,
    numpy=lambda spell, operands, parameters: f"np.{parameters[0]}({', '.join(operands)})",
    value=lambda *given: getattr(np, given[-1])(*given[:-1]),
    mpmath=lambda mp, *given: getattr(np, given[-1])(*[value.astype(np.int64) for value in given[:-1]]),
    latex=_latex,
    examples=(
        lambda make: _apply(_integers(make, 2), "gcd"),
        lambda make: _apply(_integers(make, 1), "invert"),
        lambda make: _apply(_integers(make, 1), "bitwise_count"),
    ),
    batch="broadcast",
    doc="One of NumPy's functions of integers.",
)


def _as_integers(name: str, nodes: Sequence[Node], wanted: str) -> list[Node]:
    """Bring operands to the dtype NumPy computes in."""
    for node in nodes:
        if node.dtype.kind == "f":
            raise errors.operand_dtype(name, node, wanted)
    dtype = promote(nodes)
    if dtype.kind not in "iu":
        raise errors.operand_dtype(name, nodes[0], wanted)
    return [_number(node, dtype) if isinstance(node, Exact) else astype(node, dtype) for node in nodes]


def _number(node: Exact, dtype: np.dtype[Any]) -> Node:
    """Make an array of a number, which must be in the range of the dtype, as NumPy asks."""
    low, high = integer_range(dtype)
    if not low <= int(node.value) <= high:
        raise errors.operand_dtype("an operation on bits", node, f"a number that {dtype} can hold")
    return constant(np.asarray(node.value, dtype))


def _declare(name: str, doc: str, logical: Function | None = None, aliases: tuple[str, ...] = ()) -> Function:
    """Declare a function of integers; `logical` is what it is on booleans."""
    wanted = "an integer" if logical is None else "bool, or an integer"

    def apply(*operands: Any) -> Node:
        nodes = [as_node(operand) for operand in operands]
        if len(nodes) != _ARITY[name]:
            raise errors.bad_node(name, f"it takes {_ARITY[name]} operands, not {len(nodes)}")
        if logical is not None and all(node.dtype is BOOL for node in nodes):
            return logical(*nodes)
        return _apply(_as_integers(name, nodes, wanted), name)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"{doc} As `numpy.{name}`; integers have no derivative."
    examples = [lambda f, make: f(*_integers(make, _ARITY[name]))]
    if logical is not None:
        examples.append(lambda f, make: f(*[make(x, (3,)) > 0 for x in "xy"[: _ARITY[name]]]))
    return public(name, examples=tuple(examples), aliases=aliases)(apply)


bitwise_and = _declare("bitwise_and", "Bits that both have; of booleans: and.", logical_and)
bitwise_or = _declare("bitwise_or", "Bits that one of two has; of booleans: or.", logical_or)
bitwise_xor = _declare("bitwise_xor", "Bits in which two differ; of booleans: exclusive or.", logical_xor)
invert = _declare("invert", "All bits changed; of booleans: not.", logical_not, ("bitwise_not", "bitwise_invert"))
left_shift = _declare("left_shift", "Bits moved to the left.", aliases=("bitwise_left_shift",))
right_shift = _declare("right_shift", "Bits moved to the right.", aliases=("bitwise_right_shift",))
gcd = _declare("gcd", "Greatest common divisor.")
lcm = _declare("lcm", "Least common multiple.")
bitwise_count = _declare("bitwise_count", "Number of bits that are set in the absolute value.")

bitwise_not = bitwise_invert = invert
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift
