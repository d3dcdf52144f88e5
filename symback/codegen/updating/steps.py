"""What is done to an array so that it holds a new value, step by step."""

from typing import NamedTuple

from symback.codegen.source.text import Text, coefficient_factor
from symback.nodes.add import Plus, add
from symback.nodes.apply import Map, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Exact, Variable, exact
from symback.nodes.node import Node
from symback.nodes.products import scale
from symback.op.table import primitive_of


class Step(NamedTuple):
    """An assignment into an array: ``+=``, ``-=``, ``*=``, ``/=``, or all entries at once, of an operand."""

    sign: str
    operand: Node

    def without_sign(self) -> "Step":
        """Subtract what is added with a negative coefficient."""
        core = unnamed(self.operand)
        if self.sign != "+" or not isinstance(core, Contract) or not _is_negative(core):
            return self
        return Step("-", scale(-1, core))

    def written(self, name: str, text: Text) -> str:
        """Write the statement; what is added with a minus is subtracted."""
        if not self.sign:
            return f"{name}[...] = {text.signed()}"
        if self.sign in ("+", "-") and text.negative:
            return f"{name} {'-' if self.sign == '+' else '+'}= {text._replace(negative=False).signed()}"
        return f"{name} {self.sign}= {text.signed()}"


def _is_negative(node: Contract) -> bool:
    return coefficient_factor(classify(node).coefficient).negative


def update_steps(target: Variable, new: Node, shared: bool = False) -> list[Step]:
    """Return the steps that make `new` of what the array holds, with the roundings of the expression.

    A value that is `shared` is computed elsewhere already, and assigned. No step but the first may read the array:
    whoever writes them puts the operands of the others aside, where they do.
    """
    if new is target:
        return []
    steps = None if shared else _steps(target, new)
    return steps or [Step("", new)]


def _steps(target: Variable, new: Node) -> list[Step] | None:
    """Return the steps from the target to an expression of its shape and dtype, or None where it is not begun with."""
    new = unnamed(new)
    if new is target:
        return []
    if (new.shape, new.dtype) != (target.shape, target.dtype):
        return None
    if isinstance(new, Plus):
        return _steps_of_sum(target, new)
    if isinstance(new, Contract):
        return _steps_of_product(target, new)
    if isinstance(new, Map) and primitive_of(new).name == "divide" and unnamed(new.operands[0]) is target:
        return [Step("/", new.operands[1])]
    return None


def _steps_of_sum(target: Variable, new: Plus) -> list[Step] | None:
    """Begin with the term that the target is in; those before it are added up first, as they are in the sum."""
    for place, term in enumerate(new.operands):
        begun = _steps(target, term)
        if begun is not None:
            before = new.operands[:place]
            first = [add(*before) if place > 1 else before[0]] if place else []
            return [*begun, *(Step("+", operand) for operand in (*first, *new.operands[place + 1 :]))]
    return None


def _steps_of_product(target: Variable, new: Contract) -> list[Step] | None:
    """Multiply by one number or one array, or divide by one."""
    p = classify(new)
    if not p.cores or p.ones:
        return None
    if p.kind == "scale" and p.cores[0][0] is target:
        factor = coefficient_factor(p.coefficient)
        if factor.over is None:
            return [Step("*", exact(p.coefficient))]
        whole = factor.times is None and not factor.negative
        return [Step("/", exact(int(factor.over)))] if whole else None
    if p.kind != "hadamard" or len(p.cores) != 2 or p.coefficient != 1:
        return None
    other, labels = next((core for core in p.cores if core[0] is not target), p.cores[0])
    begins = any(core is target and own == p.out for core, own in p.cores)
    if not begins or other is target or labels != p.out[len(p.out) - len(labels) :] or other.dtype.kind == "b":
        return None
    if isinstance(other, Map) and primitive_of(other).name == "divide" and isinstance(other.operands[0], Exact):
        return [Step("/", other.operands[1])] if other.operands[0].value == 1 else None
    return [Step("*", other)]
