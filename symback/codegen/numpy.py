"""The NumPy target: the text of a module that runs wherever NumPy is."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sympy

from symback import errors
from symback.codegen.bound import maker_text
from symback.codegen.cost.tally import tally
from symback.codegen.passes.prepare import prepare
from symback.codegen.program import Builder
from symback.codegen.results import copied_outputs, packed_sizes, return_line, returned
from symback.codegen.source.docstring import function_docstring, module_docstring
from symback.codegen.source.limits import limit_lines
from symback.codegen.source.module import Program, module_text, without_unused
from symback.codegen.source.naming import Names
from symback.codegen.source.text import size_text
from symback.codegen.structure.concentrate import concentrated
from symback.codegen.updating.plan import NOTHING_NEW, NewValues
from symback.codegen.updating.updates import Scope, write_program
from symback.graph import toposort
from symback.nodes.apply import Apply, Named
from symback.nodes.leaves import Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import NO_HINTS, Hints, SizeExpr, simplify_size, size_symbols
from symback.ops.numerics.bound import entry_by_entry
from symback.ops.undefined import Partial
from symback.structure import Nested, leaves_of


class Module(NamedTuple):
    """An emitted module: its text, and the functions that it must be given, with their names in it."""

    text: str
    functions: Mapping[Partial, str]


def emit_module(
    name: str, inputs: Sequence[Variable], outputs: Nested, *, written: Nested, check: bool, sizes: Hints = NO_HINTS,
    cost: bool = False, build: Callable[..., Builder] = Builder,
    finish: Callable[[Sequence[Node]], list[Node]] = list, updates: NewValues = NOTHING_NEW,
    memory_limit: int | None = None,
) -> Module:  # fmt: skip
    """Return a module that defines the function `name` of `inputs`; docstrings describe what is `written`.

    `build` and `finish` are what a style adds: its way to write statements, and its last pass over the graph.

    Raises:
        InputError: If an output depends on a variable or a size that no input gives.
        InvalidNameError: If a name stands for two things.
        MemoryLimitError: If a result takes more bytes than the limit, at any sizes.
    """
    nodes = leaves_of(outputs)
    _check_inputs(inputs, [*nodes, *updates.nodes])
    prepared = finish(prepare(concentrated([*nodes, *updates.nodes]), sizes))
    bound = _bound_sizes(inputs)
    order = toposort(prepared)
    needed = _symbols_of([*order, *inputs]).union(*map(size_symbols, packed_sizes(outputs)))
    for symbol in sorted(needed - bound.keys(), key=str):
        raise errors.unbound_size("lambdify", symbol.name)
    scope = _scope(name, inputs, order, bound, build)
    builder, texts = write_program(scope, prepared[: len(nodes)], updates.refilled(prepared[len(nodes) :]))
    last = return_line(outputs, texts, builder)
    checks = _size_checks(order, inputs, scope.arguments) if check else []
    limits = limit_lines(outputs, memory_limit, builder)
    sizes_read = _size_lines(builder.program, checks, bound, scope)
    lines = without_unused([*sizes_read, *limits, *builder.program.lines, last])
    said = leaves_of(written)
    takes, needed = _cost_text(scope, builder, prepared, len(nodes)) if cost else "", builder.program.functions
    docstring = function_docstring(inputs, said, scope.arguments, takes, updates.targets, needed)
    definition = _definition(name, scope.arguments, [*docstring, *lines])
    decorator = f"{_decorator(inputs, scope.arguments, updates.targets)}\n" if check and inputs else ""
    formula, raises = module_docstring(name, said), "InputError" in definition
    whole = _within_maker(name, decorator + definition, builder)
    text = module_text(builder.program, whole, check=bool(decorator), raises=raises, docstring=formula)
    return Module(text, needed)


def _within_maker(name: str, definition: str, builder: Builder) -> str:
    """Write the function that is given what the emitted one calls around it, if it calls such functions."""
    needed = builder.program.functions
    if not needed:
        return definition
    builder.helper(entry_by_entry)
    return maker_text(name, definition, needed)


def _scope(
    name: str, inputs: Sequence[Variable], order: Sequence[Node], bound: Iterable[sympy.Symbol], build: Any
) -> Scope:
    """Give names to arguments and sizes, and keep those of the user's for what they name."""
    names = Names({name})
    arguments: dict[Node, str] = {variable: names.claim(variable.name) for variable in inputs}
    names.keep(node.label.name for node in order if isinstance(node, Named) and node.label.kind == "let")
    return Scope(build, returned, names, arguments, {symbol.name: names.claim(symbol.name) for symbol in bound})


def _cost_text(scope: Scope, builder: Builder, prepared: Sequence[Node], results: int) -> str:
    """State what the statements take; new values of arguments are counted as results are."""
    order = toposort(prepared)
    if results < len(prepared):
        builder = Builder(prepared, order, Names(()), scope.arguments, scope.sizes)
    return tally(builder, order, prepared, copied_outputs(prepared[:results])).sentence()


def _definition(name: str, arguments: dict[Node, str], lines: Sequence[str]) -> str:
    header = f"def {name}({', '.join(arguments.values())}):"
    return "\n".join([header, *(f"    {line}".rstrip() for line in lines)])


# -- what the graph asks of the inputs ----------------------------------------------------------------


def _check_inputs(inputs: Sequence[Variable], outputs: Sequence[Node]) -> None:
    seen: dict[str, Variable] = {}
    for variable in inputs:
        if variable.name in seen:
            other = seen[variable.name]
            raise (
                errors.repeated_input(variable.name)
                if other is variable
                else errors.name_clash(variable.name, other, variable)
            )
        seen[variable.name] = variable
    missing = []
    for node in toposort(outputs):
        if isinstance(node, Variable) and seen.get(node.name) is not node:
            if node.name in seen:
                raise errors.name_clash(node.name, seen[node.name], node)
            missing.append(node.name)
    if missing:
        raise errors.missing_input("lambdify", missing)


def _bound_sizes(inputs: Sequence[Variable]) -> dict[sympy.Symbol, tuple[Variable, int]]:
    """Return where each symbolic size is read from."""
    bound: dict[sympy.Symbol, tuple[Variable, int]] = {}
    for variable in inputs:
        for axis, size in enumerate(variable.shape):
            if isinstance(size, sympy.Symbol):
                bound.setdefault(size, (variable, axis))
    return bound


def _symbols_of(nodes: Sequence[Node]) -> set[sympy.Symbol]:
    """Return the symbolic sizes that shapes and values are made of."""
    shapes = {node.shape for node in nodes} | {(node.size,) for node in nodes if isinstance(node, Size)}
    return {symbol for shape in shapes for size in shape for symbol in size_symbols(size)}


_SHRINKING = {"diff_along", "arange_to"}
"""Primitives beside slices whose result has a size that may come out negative."""

_RANGES = {"slice_of", "unslice", "set_slice"}
"""Primitives whose first parameter is ranges of an array: of the result, if that is zeros around what is written."""


def _requirements(node: Node) -> list[SizeExpr]:
    """Return the sizes that must not be negative for a node to have the shape the graph says."""
    if not isinstance(node, Apply) or node.operation.name not in _SHRINKING | _RANGES:
        return []
    found = _bounds_of(node) if node.operation.name in _RANGES else node.shape
    needs = [simplify_size(need) for need in found]
    return [need for need in needs if not isinstance(need, int) and not need.is_nonnegative]


def _bounds_of(node: Apply) -> list[SizeExpr]:
    """Return what must not be negative for each slice to lie within its axis."""
    found: list[SizeExpr] = []
    shape = node.shape if node.operation.name == "unslice" else node.operands[0].shape
    for entry, size in zip(node.operation.parameters[0], shape, strict=True):
        if isinstance(entry, tuple):
            start, stop, step = entry
            low, high = (start, stop) if step > 0 else (stop + 1, start + 1)
            found += [low, high - low, size - high]
        elif entry is not None and not isinstance(simplify_size(entry - size), int):
            found.append(entry)
    return found


Check = tuple[str, SizeExpr, str]
"""The left side of a comparison that fails, the size on its right side, and the message, to be formatted."""


def _size_checks(order: Sequence[Node], inputs: Sequence[Variable], arguments: dict[Node, str]) -> list[Check]:
    """Return what must hold between sizes for the shapes to be as the graph says."""
    checks = [
        (
            f"{arguments[v]}.shape[{axis}] != ",
            size,
            f"{arguments[v]}: axis {axis} has size {{{arguments[v]}.shape[{axis}]}}, wanted {size}",
        )
        for v in inputs
        for axis, size in enumerate(v.shape)
        if not isinstance(size, (int, sympy.Symbol))
    ]
    for need in dict.fromkeys(need for node in order for need in _requirements(node)):
        constant, rest = sympy.sympify(need, strict=True).as_coeff_Add()
        checks.append((f"{-constant} > ", rest, f"a slice needs {rest} >= {-constant}"))
    return checks


def _size_lines(
    program: Program, checks: Sequence[Check], bound: dict[sympy.Symbol, tuple[Variable, int]], scope: Scope
) -> list[str]:
    """Write where sizes are read from, and the checks of them."""
    arguments, names = scope.arguments, scope.sizes
    used = program.sizes.union(symbol.name for _, size, _ in checks for symbol in size_symbols(size))
    lines = [
        f"{names[symbol.name]} = {arguments[variable]}.shape[{axis}]"
        for symbol, (variable, axis) in bound.items()
        if symbol.name in used
    ]
    for test, size, message in checks:
        found = ", ".join(f"{symbol} = {{{names[symbol]}}}" for symbol in sorted(s.name for s in size_symbols(size)))
        lines += [f"if {test}{size_text(size, names).text}:", f'    raise InputError(f"{message} ({found})")']
    return lines


# -- the function's head ------------------------------------------------------------------------------------


def _decorator(inputs: Sequence[Variable], arguments: dict[Node, str], updated: Collection[Variable]) -> str:
    rows = []
    for variable in inputs:
        sizes = [_declared_size(size) for size in variable.shape]
        shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
        how = ', "updated"' if variable in updated else ""
        rows.append(f'{arguments[variable]}=("{variable.dtype.name}", {shape}{how})')
    return f"@{'checked_updates' if updated else 'checked'}({', '.join(rows)})"


def _declared_size(size: SizeExpr) -> str:
    """Write a size for `checked`; a compound one is checked in the body, where its parts are known."""
    return str(size) if isinstance(size, int) else f'"{size}"' if isinstance(size, sympy.Symbol) else "None"
