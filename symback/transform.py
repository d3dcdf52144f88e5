"""The entry points that rewrite a graph into another one of the same value."""

from collections.abc import Sequence
from typing import Any

from symback.graph import toposort
from symback.interop.symbolic.conversion import Conversion
from symback.rewrite.engine import Engine, Rule, checked_rules
from symback.rewrite.reasons import explained, places_in
from symback.rewrite.report import Explanation
from symback.rewrite.settle import settle
from symback.structure import Nested


def rewrite(expr: Nested, rules: Rule | Sequence[Rule]) -> Any:
    """Apply rules until none applies.

    Args:
        expr: A node, or a list, tuple or dict of nodes, nested at will.
        rules: A rule or a list of rules, tried in their order: your own `Rule`, or `sb.STABILISE` (naive spellings
            become stable functions), `sb.SIMPLIFY` (zeros, like terms, common factors) and `sb.TAILS` (derivatives
            that keep their digits where they are small); lists are joined by ``+``.

    Returns:
        The structure of `expr` with nodes of the same shapes and dtypes. Names given by `let` stay.

    Raises:
        RewriteError: If the rules come to no end, or the two sides of one differ in shape or dtype.
        UsageError: If `rules` are no rules.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> sb.rewrite(sb.log(1 + sb.exp(2 * x)), sb.STABILISE)
        softplus(2*x)
        >>> rule = sb.Rule("double angle", lambda x: 2 * sb.sin(x) * sb.cos(x), lambda x: sb.sin(2 * x))
        >>> sb.rewrite(sb.sin(x) * sb.cos(x), [rule])
        1/2*sin(2*x)
    """
    engine = Engine(checked_rules(rules))
    given = Conversion(expr)
    return given.results(expr, engine.rewrite(given.nodes(expr)))


def simplify(expr: Nested) -> Any:
    """Apply `sb.STABILISE` and `sb.SIMPLIFY`: the graph that `lambdify` emits, before products are ordered.

    Args:
        expr: A node, or a list, tuple or dict of nodes, nested at will.

    Returns:
        The structure of `expr` with nodes of the same shapes and dtypes.

    Example:
        >>> import symback as sb
        >>> x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
        >>> sb.simplify(x * y + x * sb.sin(x) + 0 * sb.log(x))
        x*(y + sin(x))
    """
    given = Conversion(expr)
    nodes, _ = settle(given.nodes(expr))
    return given.results(expr, nodes)


def explain(expr: Nested, rules: Rule | Sequence[Rule] | None = None) -> Explanation:
    """Say which rules apply to a graph, and where.

    Args:
        expr: A node, or a list, tuple or dict of nodes, nested at will.
        rules: The rules, by default those that `lambdify` applies.

    Returns:
        One entry for each application, with the attributes `rule`, `place` (the name of the smallest named
        expression around it), `before` and `after`; it prints as a table.

    Raises:
        RewriteError: If the rules come to no end.

    Example:
        >>> import symback as sb
        >>> z = sb.tensor("z", ("n",))
        >>> print(sb.explain(sb.let("p", sb.exp(z) / sb.sum(sb.exp(z)))))
        rule     in  before                              after
        softmax  p   divide(exp(z), sum('i->', exp(z)))  softmax_over(z, (-1,))
    """
    nodes = Conversion(expr).nodes(expr)
    if rules is None:
        return settle(nodes)[1]
    engine = Engine(checked_rules(rules))
    engine.rewrite(nodes)
    return explained(engine.applications, places_in(toposort(nodes)))
