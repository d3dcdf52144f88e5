"""`verify`: the domain report of a graph."""

from collections.abc import Mapping, Sequence
from typing import Any

from symback.check.domain.analysis import Analysis, Found
from symback.check.domain.interval import Interval
from symback.check.domain.kinks import kinks_of
from symback.check.domain.ranges import Domain, read_domain
from symback.check.domain.report import DomainReport, Hazard, OutputRange
from symback.check.domain.setting import Setting
from symback.check.domain.witness import Witness, search
from symback.check.domain.words import argument_of, cure_of, outcome_of, when_of
from symback.derive import stable
from symback.errors.domain import no_domain_outputs, no_real_outputs
from symback.graph import toposort
from symback.interop.symbolic.bridge import SympyBridge
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Named, unnamed
from symback.nodes.contract import Contract
from symback.nodes.dtypes import is_float
from symback.nodes.leaves import ones_of
from symback.nodes.node import Node
from symback.rewrite.settle import settle
from symback.structure import Nested, leaves_of

_SCALES = ("ordinary", "empty", "extreme")


def verify(
    outputs: Nested, *, domain: Mapping[Any, Any] | None = None, wrt: Nested | None = None, as_written: bool = False,
    seed: int = 0,
) -> DomainReport:  # fmt: skip
    """Report where a graph can come out as NaN or infinite, and which kinks it has; see docs/domains.md.

    Interval analysis leaves nothing out that can happen, rounding apart; a search looks for points at which it does.

    Args:
        outputs: A node or SymPy expression, or a list, tuple or dict of them, nested at will, of any shape.
        domain: By variable, symbol, size or name, where it lies: ``(0, 1)`` is open, ``[0, 1]`` closed, ``"[0, 1)"``
            half open, ``None`` no bound; by default all finite numbers, or what a SymPy symbol assumes.
        wrt: Variables; the derivatives by them, of the sum of the entries of all outputs, are looked at too.
        as_written: Look at the graph as it is written; what is emitted has stable forms, as of `log(sigmoid(x))`.
        seed: Of the random points of the search.

    Raises:
        UsageError: If something in `domain` is no interval.
        InputError: If `domain` names nothing of the graph or is empty, or there are no outputs.
        DerivativeError: If no output depends on one of `wrt`.
        DtypeError: If `wrt` is given and no output is a float.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> [hazard.when for hazard in sb.verify(sb.log(x), domain={"x": [0, 10]}).hazards]
        ['x = 0 gives -inf']
    """
    bridge = SympyBridge()
    nodes = [bridge.to_node(leaf) for leaf in leaves_of(outputs)]
    if not nodes:
        raise no_domain_outputs()
    variables = [] if wrt is None else [bridge.to_node(leaf) for leaf in leaves_of(wrt)]
    given = read_domain(domain, [*nodes, *variables], bridge.symbols)
    gradients = _gradients(nodes, variables)
    written = [*nodes, *gradients]
    settled = written if as_written else settle(written)[0]
    return _Report(settled[: len(nodes)], settled[len(nodes) :], variables, given, seed).report(as_written, nodes)


def _gradients(nodes: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
    """Return the derivatives of the sum of all entries."""
    if not wrt:
        return []
    real = [node for node in nodes if is_float(node.dtype)]
    if not real:
        raise no_real_outputs(node.dtype for node in nodes)
    return stable.vjp(real, wrt, [ones_of(node.shape, node.dtype) for node in real])


class _Report:
    """Runs the analyses of a graph and writes the report."""

    def __init__(
        self, nodes: Sequence[Node], gradients: Sequence[Node], wrt: Sequence[Node], given: Domain, seed: int
    ) -> None:
        self._nodes, self._roots, self._wrt, self._given = nodes, [*nodes, *gradients], wrt, given
        self._intervals = {extreme: given.intervals(extreme=extreme) for extreme in (False, True)}
        self._runs = {scale: self._run(scale) for scale in _SCALES}
        self._last = self._runs["extreme"]
        found = self._found()
        self._witnesses = search(
            self._roots, [one for one, _ in found.values()], [self._intervals[False], self._intervals[True]],
            given.sizes, self._last.conditions, seed,
        )  # fmt: skip
        self._hazards = found
        self._names = {unnamed(node): node.name for node in toposort(self._roots) if isinstance(node, Named)}

    def _run(self, scale: str) -> Analysis:
        known: Mapping[Node, Interval] = self._intervals[scale == "extreme"]
        return Analysis(self._roots, known, Setting(scale, self._given.sizes))

    def _found(self) -> dict[Node, tuple[Found, str]]:
        """Return for each node that can go wrong the mildest setting in which it can."""
        hazards: dict[Node, tuple[Found, str]] = {}
        for scale in _SCALES:
            for one in self._runs[scale].found:
                hazards.setdefault(one.node, (one, scale))
        return hazards

    def report(self, as_written: bool, written: Sequence[Node]) -> DomainReport:
        """Write the report."""
        spreads, primal = self._spreads(), set(toposort(self._nodes))
        hazards = [
            self._hazard(one, scale, one.node in spreads, one.node not in primal)
            for one, scale in self._hazards.values()
        ]
        hazards.sort(key=lambda hazard: _SCALES.index(hazard.scale))
        outputs = [
            self._output(written_node.short() if i < len(written) else "", node)
            for i, (written_node, node) in enumerate(zip(written, self._nodes, strict=True))
        ]
        domain = {x.name: str(range_) for x, range_ in self._given.variables.items()}
        domain |= {name: f"[{low:.0f}, {high:.6g}]" for name, (low, high) in self._given.sizes.items()}
        kinks = kinks_of(self._last, self._nodes, self._wrt)
        return DomainReport(domain, tuple(outputs), tuple(hazards), tuple(kinks), as_written)

    def _hazard(self, one: Found, scale: str, reaches: bool, derivative: bool) -> Hazard:
        witness: Witness | None = self._witnesses.get(one.node)
        certainty = "always" if one.always else "can" if witness is None else "does"
        return Hazard(
            node=self._names.get(one.node, one.node.short()), operation=_operation(one.node),
            outcome=outcome_of(one), when=when_of(one, scale),
            argument=argument_of(one), certainty=certainty, scale=scale, reaches=reaches, derivative=derivative,
            cure=cure_of(one, scale), witness=witness,
        )  # fmt: skip

    def _output(self, name: str, node: Node) -> OutputRange:
        value = self._last.full[node]
        return OutputRange(name=name, low=value.low, high=value.high, nan=value.nan, infinite=value.up or value.down)

    def _spreads(self) -> set[Node]:
        """Return the nodes by which an output can be NaN or infinite: those on a path of such nodes."""
        full, found = self._last.full, set[Node]()
        waiting = [root for root in self._roots if not full[root].is_finite]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += [operand for operand in node.operands if not full[operand].is_finite]
        return found


def _operation(node: Node) -> str:
    node = unnamed(node) if isinstance(node, Named) else node
    if isinstance(node, Apply):
        return node.operation.name
    return "sum" if isinstance(node, Plus) else "product" if isinstance(node, Contract) else type(node).__name__.lower()
