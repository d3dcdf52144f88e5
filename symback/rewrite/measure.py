r"""Why rewriting ends: a measure of expressions that every rule makes smaller.

Each operation is read as a linear polynomial of the measures of its operands, :math:`m_f \sum_k a_k + c_f`, where
:math:`m_f \geq 1` is in `_FACTORS` and :math:`c_f` in `_CONSTANTS`, and each leaf as `LEAF`. Such polynomials are
monotone: an expression gets smaller when a part of it does. So if the right side of a rule is smaller than its left
side for all values of the wildcards from `LEAF` on, each application makes the measure of the whole smaller, and
there can be no more applications than the measure of what was given (Lankford 1979; Baader and Nipkow, *Term
Rewriting and All That*, 1998, section 5.3).

A linear polynomial that has no coefficient below that of another one is above it from `LEAF` on if it is at `LEAF`.
"""

from collections import Counter
from typing import Any

from symback.graph import toposort
from symback.nodes.apply import Apply, Named
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import METHODS, Node
from symback.rewrite.engine import Rule
from symback.rewrite.pattern import wildcards

LEAF = 4
"""The measure of a leaf, and the least that a wildcard can have."""

_FACTORS = {
    "log": 32, "log2": 64, "log10": 64, "sqrt": 8, "exp": 4, "expm1": 2, "softmax_over": 2,
    "logsumexp_over": 2,
}  # fmt: skip
"""By how much an operation multiplies: those that rules move inwards, past others, weigh more."""

_CONSTANTS = {"sigmoid": 3, "divide": 30}
"""What an operation adds, if not 1."""

Polynomial = Counter[str]
"""The coefficient of each wildcard; that of the empty name is the constant."""


def polynomial_of(node: Node) -> Polynomial:
    """Return the measure of an expression as a polynomial of its variables."""
    found: dict[Node, Polynomial] = {}
    for part in toposort([node]):
        if isinstance(part, Variable):
            found[part] = Counter({part.name: 1})
        elif not part.operands:
            found[part] = Counter({"": LEAF})
        else:
            name = part.operation.name if isinstance(part, Apply) else ""
            total: Polynomial = Counter({"": 0 if isinstance(part, Named) else _CONSTANTS.get(name, 1)})
            for operand in part.operands:
                for variable, coefficient in found[operand].items():
                    total[variable] += _FACTORS.get(name, 1) * coefficient
            found[part] = total
    return found[node]


_VIEW: dict[str, Any] = {"view": lambda x: METHODS["getitem"](x, None)}
"""What stands for any view."""


_MATRIX = variable("wild_matrix", ("wild_n", "wild_n"))
"""What stands for a square matrix, in rules that find their matches themselves."""


def decreases(rule: Rule) -> bool:
    """Is the right side of a rule smaller than the left side, whatever its wildcards stand for?"""
    names = [name for name in rule.parameters if name != "view"]
    found = {**wildcards(names), **(_VIEW if "view" in rule.parameters else {})}
    if rule.find is not None and "matrix" in found:
        found["matrix"] = _MATRIX
    before, after = polynomial_of(rule.left(**found)), polynomial_of(rule.right(**found))
    variables = {*before, *after} - {""}
    above = all(before[name] >= after[name] for name in variables)
    return above and sum((before[n] - after[n]) * (LEAF if n else 1) for n in (*variables, "")) > 0
