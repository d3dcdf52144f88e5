"""The graph that is emitted: rules applied until none applies, and names put on what became of the named.

Named and unnamed uses of an expression are one for the rules: names are taken off before, and put back afterwards, so
that an expression has at most one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from symback import errors
from symback.graph import count_uses, many_allocations, rebuild, toposort
from symback.nodes.apply import Named, unnamed
from symback.nodes.contract import is_zero
from symback.nodes.leaves import Label, Variable
from symback.nodes.node import Node
from symback.rewrite.algebra import SIMPLIFY
from symback.rewrite.engine import Engine, as_written
from symback.rewrite.facts import textbook_complements
from symback.rewrite.report import Explanation, explained, places_in
from symback.rewrite.stability import COMPLEMENT, STABILISE, TAILS
from symback.trace import Application

__all__ = ["settle"]


def settle(outputs: Sequence[Node], tails: str = "absolute") -> tuple[list[Node], Explanation]:
    """Return what is emitted for `outputs`, and which rules led there.

    Args:
        outputs: Nodes.
        tails: ``"absolute"`` leaves ``a*(1 - a)``, with a the logistic function, as it is; ``"relative"`` gives it,
            and the derivative of tanh, the digits that it loses where a is close to 1.

    Raises:
        InvalidNameError: If a name of the user's stands for two things.
    """
    with many_allocations():
        order = toposort(outputs)
        plain = rebuild(outputs, lambda node, operands: _without_name(node, operands))
        relative = tails == "relative"
        further = [*STABILISE, *(TAILS if relative else ()), *SIMPLIFY]
        applied: list[Application] = []
        forms = dict(plain)
        for rules in (STABILISE, further):  # first what differentiation has applied to its graph already
            exempt = {} if relative else {COMPLEMENT: textbook_complements(forms.values())}
            engine = Engine(rules, exempt=exempt)
            engine.rewrite([forms[output] for output in outputs])
            forms = {node: engine.form_of(form) for node, form in forms.items()}
            applied += engine.applications
        final = {node: forms[node] for node in order}
        _check_names(order, final)
        places = {plain[node]: place for node, place in places_in(order).items()}
        return _with_names(outputs, final, _labels(order, final)), explained(applied, places)


def _without_name(node: Node, operands: tuple[Node, ...]) -> Node:
    return operands[0] if isinstance(node, Named) else node.with_operands(operands)


def _labels(order: Sequence[Node], final: Mapping[Node, Node]) -> dict[Node, Label]:
    """Return the name of each expression that has one: the user's before one that a pass gave."""
    labels: dict[Node, Label] = {}
    taken: dict[Label, Node] = {}
    for node in order:
        if isinstance(node, Named) and taken.setdefault(node.label, final[node]) is final[node]:
            known = labels.setdefault(final[node], node.label)
            if known.kind != "let" and node.label.kind == "let":
                labels[final[node]] = node.label
    return labels


def _with_names(outputs: Sequence[Node], final: Mapping[Node, Node], labels: Mapping[Node, Label]) -> list[Node]:
    """Name what is named; a name that a pass gave goes, unless it is used twice or leaves the function."""
    results = [final[output] for output in outputs]
    uses: Counter[Node] = Counter(count_uses(results))
    uses.update(results)

    def name(node: Node, operands: tuple[Node, ...]) -> Node:
        new = node.with_operands(operands)
        label = labels.get(node)
        wanted = label is not None and (label.kind == "let" or uses[node] > 1)
        return Named(label, new) if label is not None and wanted and new.operands and not is_zero(new) else new

    named = rebuild(results, name)
    return [named[result] for result in results]


def _check_names(order: Sequence[Node], final: Mapping[Node, Node]) -> None:
    """Refuse a name of the user's that stands for two different things."""
    owners: dict[str, Node] = {}
    for node in order:
        if isinstance(node, Variable) or (isinstance(node, Named) and node.label.kind == "let"):
            owner = owners.setdefault(node.name, node)
            if final[owner] is not final[node] and as_written(owner) is not as_written(node):
                raise errors.name_clash(node.name, unnamed(owner), unnamed(node))
