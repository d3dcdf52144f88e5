"""The graph that is emitted: rules applied until none applies, and names put on what became of the named.

The user's name stands on the expression itself, once, so that its named and unnamed uses are one for the rules; names
that passes gave are taken off before, and put back afterwards where nothing else has a name.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from symback import errors
from symback.graph import count_uses, many_allocations, rebuild, toposort
from symback.nodes.apply import Named, unnamed
from symback.nodes.contract import is_zero
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.rewrite.algebra import SIMPLIFY
from symback.rewrite.engine import Engine, as_written
from symback.rewrite.facts import shared_logistics, textbook_complements
from symback.rewrite.reasons import explained, places_in
from symback.rewrite.report import Explanation
from symback.rewrite.stability import COMPLEMENT, STABILISE, TAILS, TWICE
from symback.trace import Application

__all__ = ["settle"]


def settle(outputs: Sequence[Node], tails: str = "absolute") -> tuple[list[Node], Explanation]:
    """Return what is emitted for `outputs`, and which rules led there.

    Args:
        outputs: Nodes.
        tails: ``"absolute"`` leaves ``a*(1 - a)``, with a the logistic function, as it is, and ``1 - 2*a`` where a
            is computed for something else too; ``"relative"`` gives it,
            and the derivative of tanh, the digits that it loses where a is close to 1.

    Raises:
        InvalidNameError: If a name of the user's stands for two things.
    """
    with many_allocations():
        order = toposort(outputs)
        forms = _named_once(outputs, order)
        places = places_in(order)
        found = _placed(forms, places)
        relative = tails == "relative"
        applied: list[Application] = []
        for rules in (STABILISE, [*STABILISE, *(TAILS if relative else ()), *SIMPLIFY]):
            # STABILISE alone first, as differentiation has applied it to its graph already
            now, ends = toposort(forms.values()), [forms[output] for output in outputs]
            exempt = {} if relative else {COMPLEMENT: textbook_complements(now), TWICE: shared_logistics(now, ends)}
            engine = Engine(rules, exempt=exempt)
            engine.rewrite([forms[output] for output in outputs])
            forms = {node: engine.form_of(form) for node, form in forms.items()}
            found |= _placed(forms, places)
            applied += engine.applications
        _check_names(order, forms)
        return _with_names([forms[output] for output in outputs], _pass_names(order, forms)), explained(applied, found)


def _placed(forms: Mapping[Node, Node], places: Mapping[Node, str]) -> dict[Node, str]:
    """Return for what nodes became, with and without its name, where they stand."""
    return {part: place for node, place in places.items() for part in (forms[node], unnamed(forms[node]))}


def _named_once(outputs: Sequence[Node], order: Sequence[Node]) -> dict[Node, Node]:
    """Put the user's name on the expression itself, so that its named and unnamed uses are one; take others off."""
    labels: dict[Node, Label] = {}
    for node in order:
        if isinstance(node, Named) and node.label.kind == "let":
            labels.setdefault(unnamed(node), node.label)

    def replace(node: Node, operands: tuple[Node, ...]) -> Node:
        if isinstance(node, Named):
            return operands[0]
        new = node.with_operands(operands)
        return Named(labels[node], new) if node in labels and _can_have_a_name(new) else new

    return rebuild(outputs, replace)


def _can_have_a_name(node: Node) -> bool:
    return bool(node.operands) and not is_zero(node) and not isinstance(node, Named)


def _pass_names(order: Sequence[Node], forms: Mapping[Node, Node]) -> dict[Node, Label]:
    """Return the names that passes gave, by the expressions that have no name of the user's."""
    labels: dict[Node, Label] = {}
    for node in order:
        if isinstance(node, Named) and node.label.kind != "let":
            labels.setdefault(forms[node], node.label)
    return labels


def _with_names(results: Sequence[Node], labels: Mapping[Node, Label]) -> list[Node]:
    """Name what passes named, if it is used twice or leaves the function; of two forms of one name one keeps it."""
    uses: Counter[Node] = Counter(count_uses(results))
    uses.update(results)
    own = {node.operands[0] for node in uses if isinstance(node, Named)}
    taken: dict[str, Node] = {}

    def name(node: Node, operands: tuple[Node, ...]) -> Node:
        if isinstance(node, Named):
            (inner,) = operands
            keeps = _can_have_a_name(inner) and taken.setdefault(node.name, inner) is inner
            return Named(node.label, inner) if keeps else inner
        new = node.with_operands(operands)
        label = labels.get(node) if node not in own and uses[node] > 1 else None
        return Named(label, new) if label is not None and _can_have_a_name(new) else new

    named = rebuild(results, name)
    return [named[result] for result in results]


def _check_names(order: Sequence[Node], forms: Mapping[Node, Node]) -> None:
    """Refuse a name of the user's that stands for two different things."""
    owners: dict[str, Node] = {}
    for node in order:
        if isinstance(node, Variable) or (isinstance(node, Named) and node.label.kind == "let"):
            owner = owners.setdefault(node.name, node)
            one, other = unnamed(forms[owner]), unnamed(forms[node])
            if one is not other and as_written(owner) is not as_written(node):
                raise errors.name_clash(node.name, unnamed(owner), unnamed(node))
