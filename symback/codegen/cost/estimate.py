"""What the code that is emitted for a graph costs."""

from collections.abc import Sequence

from symback.codegen.cost.tally import Cost, tally
from symback.codegen.passes.prepare import prepare
from symback.codegen.program import Builder
from symback.codegen.results import copied_outputs
from symback.codegen.source.naming import Names
from symback.codegen.structure.concentrate import concentrated
from symback.graph import toposort
from symback.nodes.apply import Named
from symback.nodes.leaves import Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import Hints, size_symbols


def estimate(outputs: Sequence[Node], hints: Hints) -> Cost:
    """Count what the statements take that `lambdify` emits for `outputs`."""
    prepared = prepare(concentrated(outputs), hints)
    order = toposort(prepared)
    names = Names(())
    arguments: dict[Node, str] = {node: names.claim(node.name) for node in order if isinstance(node, Variable)}
    names.keep(node.label.name for node in order if isinstance(node, Named) and node.label.kind == "let")
    shapes = {node.shape for node in order} | {(node.size,) for node in order if isinstance(node, Size)}
    symbols = {symbol.name for shape in shapes for size in shape for symbol in size_symbols(size)}
    sizes = {name: names.claim(name) for name in sorted(symbols)}
    builder = Builder(prepared, order, names, arguments, sizes)
    return tally(builder, order, prepared, copied_outputs(prepared))
