"""The engine: apply named rules to a graph until none applies.

Nodes are taken operands first, each once. A node whose operands have their final form is held against the rules in
their order; what a rule makes of it goes through the same, until no rule applies. That comes to an end because the
right side of each rule is smaller than its left side in the sense of `symback.rewrite.measure`; for rules of which
that is not known there is a bound, and an error that names them.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from symback import errors
from symback.graph import many_allocations, toposort
from symback.nodes.add import Plus, add
from symback.nodes.apply import Apply, Named, unnamed
from symback.nodes.contract import Contract
from symback.nodes.leaves import as_node, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.products import broadcast_to, hadamard, scale
from symback.rewrite.parts import function_of
from symback.rewrite.pattern import Match, Scope, pattern_of, wildcards
from symback.rewrite.views import is_view
from symback.trace import Application

Side = Callable[..., Any]
Finder = Callable[[Node, Scope], Iterator[Match]]

_BOUND = 64
"""How many applications there may be for each node of the graph, and for a graph of one node as many again."""


@dataclass(frozen=True, eq=False)
class Rule:
    """An identity, applied from left to right: ``Rule("softplus", lambda x: log(1 + exp(x)), lambda x: softplus(x))``.

    The two sides are functions of the same wildcards, written with symback's functions; the name of a parameter says
    what it stands for: ``c`` and ``d`` exact numbers, ``axis`` the axes of a reduction, any other an expression.

    Attributes:
        name: The reason that `explain` and derivations give.
        left: What is looked for.
        right: What takes its place.
        when: A condition on the wildcards, by name; None if there is none.
        find: Yields the matches in a node, where `left` says what is meant but not how it is written; None: the
            matches of the pattern that `left` is.
        at: The names of the primitives that a match can have at its root, ``"add"`` and ``"product"`` for sums and
            products; needed with `find` only.

    Raises:
        UsageError: If the name is no string, a side is no function, or the sides have different parameters.

    Example:
        >>> import symback as sb
        >>> rule = sb.Rule("double angle", lambda x: 2 * sb.sin(x) * sb.cos(x), lambda x: sb.sin(2 * x))
        >>> t = sb.tensor("t", ("n",))
        >>> sb.rewrite(5 * sb.cos(t) * sb.sin(t), [rule])
        5/2*sin(2*t)
    """

    name: str
    left: Side
    right: Side
    when: Callable[..., bool] | None = None
    find: Finder | None = field(default=None, kw_only=True)
    at: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise errors.bad_rule(self.name, "the name must be a string that says what the rule is")
        if not callable(self.left) or not callable(self.right):
            raise errors.bad_rule(self.name, "both sides must be functions of the wildcards")
        if self.parameters != list(inspect.signature(self.right).parameters):
            raise errors.bad_rule(self.name, "the two sides have different parameters")
        if self.when is not None and not _takes(self.when, len(self.parameters)):
            raise errors.bad_rule(self.name, "the condition must be a function of the same parameters")

    @cached_property
    def parameters(self) -> list[str]:
        """The names of the wildcards."""
        return list(inspect.signature(self.left).parameters)

    @cached_property
    def pattern(self) -> Node:
        """The left side of wildcards."""
        try:
            made = pattern_of(self.left)
        except Exception as reason:
            raise errors.bad_rule(self.name, f"the left side fails on wildcards: {reason}") from reason
        if not isinstance(made, Node) or not made.operands:
            raise errors.bad_rule(self.name, "the left side must be an operation")
        known = made.atoms()
        missing = [name for name, leaf in wildcards(self.parameters).items() if name != "axis" and leaf not in known]
        if missing:
            raise errors.bad_rule(self.name, f"{', '.join(missing)} must be part of the left side")
        return unnamed(made)

    @cached_property
    def drops(self) -> bool:
        """Lacks the right side a wildcard of the left side, so that its shape may be smaller?"""
        if self.find is not None:
            return True
        try:
            right = as_node(self.right(**wildcards(self.parameters)))
        except errors.SymbackError:  # it asks for more than wildcards have: axes, say
            return False
        return any(leaf.is_Symbol and not right.has(leaf) for leaf in self.pattern.atoms())

    @cached_property
    def needs(self) -> frozenset[str]:
        """The functions that must stand somewhere below the root, with nothing but sums, products, views between."""
        if self.find is not None:
            return frozenset()
        below: dict[Node, frozenset[str]] = {}
        return frozenset().union(*(heads(operand, below) for operand in self.pattern.operands))

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """What a node must be for this rule to be tried."""
        return self.at if self.find is not None else (root_of(self.pattern),)

    def _made(self, match: Match) -> Node:
        made = self.right(**match.found)
        if not isinstance(made, (Node, int, float, Fraction)):
            raise errors.bad_rule(self.name, f"the right side gives no expression but {type(made).__name__}")
        return as_node(made)

    def apply(self, node: Node, scope: Scope) -> Node | None:
        """Return what the rule makes of a node, or None where it does not apply."""
        matches = self.find(node, scope) if self.find is not None else scope.find(self.pattern, node)
        for match in matches:
            if self.when is None or self.when(*[match.found[name] for name in self.parameters]):
                made = _placed(self._made(match), match, node, self.drops)
                if made.shape != node.shape or made.dtype != node.dtype:
                    if self.find is None and match.rest is None:
                        raise errors.rule_changes(self.name, node, made)
                elif made is not node:
                    return made
        return None


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Can a function be called with so many operands?"""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def _placed(made: Node, match: Match, node: Node, drops: bool) -> Node:
    """Put the right side in the place of the left: with the number, the terms and factors that stood beside it."""
    if match.scale != 1:
        made = scale(match.scale, made)
    if match.rest is not None:
        made = add(made, match.rest) if isinstance(node, Plus) else hadamard(made, match.rest)
    if made.shape != node.shape and (drops or match.rest is not None or made.is_weak):
        made = broadcast_to(made, node.shape)
    whole = node.dtype.kind == "f" != made.dtype.kind
    if made.is_weak and not node.is_weak and made.dtype == node.dtype:
        return hadamard(made, ones_of(node.shape, node.dtype))  # beside a float32 it is to make a float64 as before
    return METHODS["astype"](made, node.dtype) if made.dtype != node.dtype and (whole or made.is_weak) else made


def root_of(node: Node) -> str:
    """Return under which name rules for a node are kept."""
    if isinstance(node, Plus):
        return "add"
    if isinstance(node, Contract):
        return "product"
    return function_of(node)


def heads(node: Node, known: dict[Node, frozenset[str]]) -> frozenset[str]:
    """Return the functions that a node is a sum, a product, a name or a view of, or is; those below are in `known`."""
    if node not in known:
        if isinstance(node, Apply) and not is_view(node):
            known[node] = frozenset((node.operation.name,))
        elif len(node.operands) == 1:
            known[node] = heads(node.operands[0], known)
        else:
            known[node] = frozenset().union(*(heads(operand, known) for operand in node.operands))
    return known[node]


_WRITTEN: WeakKeyDictionary[Node, Node] = WeakKeyDictionary()
"""For what rewriting made of a named node, that node."""


def as_written(node: Node) -> Node:
    """Return the named node that a node was rewritten from, or the node: both are what the user gave the name to."""
    return _WRITTEN.get(node, node)


class Engine:
    """Applies a list of rules to nodes, remembers what became of each, and records every application.

    Args:
        rules: The rules, in the order in which they are tried.
        barriers: Nodes that stay as they are, and that no pattern looks into.
        exempt: For the name of a rule, which nodes it leaves alone: a function of the node as given and of what it
            is an operand of, as far as that is being rewritten.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        barriers: AbstractSet[Node] = frozenset(),
        exempt: Mapping[str, Callable[[Node, Node | None], bool]] | None = None,
    ) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            for root in rule.roots:
                self._rules.setdefault(root, []).append(rule)
        self._scope = Scope(barriers)
        self._exempt = exempt or {}
        self._heads: dict[Node, frozenset[str]] = dict.fromkeys(barriers, frozenset())
        self._final: dict[Node, Node] = {barrier: barrier for barrier in barriers}
        self.applications: list[Application] = []
        self._most = 0

    def rewrite(self, nodes: Sequence[Node]) -> list[Node]:
        """Return the nodes in their final form.

        Raises:
            RewriteError: If rules come to no end.
        """
        with many_allocations():
            given = set(toposort(nodes))
            self._most = len(self.applications) + _BOUND * (len(given) + _BOUND)
            return [self._finished(node, given) for node in nodes]

    def form_of(self, node: Node) -> Node:
        """Return the final form of a node; one that was no part of what was rewritten is its own."""
        return self._final.get(node, node)

    def _finished(self, root: Node, given: AbstractSet[Node]) -> Node:
        """Walk down to what is not final yet, and up again; no recursion, so that depth is no limit."""
        final, stack = self._final, [root]
        forward: dict[Node, Node] = {}
        while stack:
            node = stack[-1]
            if node in final:
                stack.pop()
                continue
            if node in forward:
                if forward[node] not in final:  # it is part of what a rule made of it
                    raise self._endless()
                final[node] = final[forward[node]]
                stack.pop()
                continue
            missing = [operand for operand in node.operands if operand not in final]
            if missing:
                stack += missing[::-1]
                continue
            operands = tuple([final[operand] for operand in node.operands])
            new = node if operands == node.operands else node.with_operands(operands)
            if isinstance(node, Named) and new is not node:
                _WRITTEN.setdefault(new, as_written(node))
            made = final[new] if new in final else self._applied(new, stack, given)
            if made is new:
                final[node] = final[new] = new
                stack.pop()
                continue
            if made in forward or len(self.applications) > self._most:
                raise self._endless()
            forward[node] = made
            stack.append(made)
        return final[root]

    def _applied(self, node: Node, stack: Sequence[Node], given: AbstractSet[Node]) -> Node:
        """Return what the first rule that applies makes of a node, or the node."""
        heads(node, self._heads)
        candidates = self._rules.get(root_of(node), ())
        below: frozenset[str] = frozenset().union(*(heads(operand, self._heads) for operand in node.operands))
        for rule in candidates:
            if not rule.needs <= below or (rule.name in self._exempt and self._is_exempt(rule, stack)):
                continue
            made = rule.apply(node, self._scope)
            if made is not None:
                origin = next(origin for origin in reversed(stack) if origin in given)
                self.applications.append(Application(rule.name, node, made, origin))
                return made
        return node

    def _endless(self) -> errors.RewriteError:
        return errors.endless([step.rule for step in self.applications[-8:]], len(self.applications))

    def _is_exempt(self, rule: Rule, stack: Sequence[Node]) -> bool:
        return self._exempt[rule.name](stack[-1], stack[-2] if len(stack) > 1 else None)


def checked_rules(rules: Any) -> list[Rule]:
    """Return a list of rules, or raise."""
    if isinstance(rules, Rule):
        return [rules]
    if not isinstance(rules, Sequence) or not all(isinstance(rule, Rule) for rule in rules):
        raise errors.not_rules(rules)
    return list(rules)
