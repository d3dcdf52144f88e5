"""The NumPy target: the text of a module that runs wherever NumPy is."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from symback import errors
from symback.codegen.contraction import NO_HINTS, Hints
from symback.codegen.docstring import function_docstring, module_docstring
from symback.codegen.layout import WIDTH
from symback.codegen.module import Program, module_text, without_unused
from symback.codegen.naming import Names
from symback.codegen.prepare import prepare
from symback.codegen.program import Builder
from symback.codegen.speller import as_numpy
from symback.codegen.tally import tally
from symback.codegen.text import Text, size_text, string_text
from symback.graph import toposort
from symback.nodes.apply import Apply, Map, Named, unnamed
from symback.nodes.classify import classify
from symback.nodes.contract import Contract
from symback.nodes.leaves import Constant, Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, simplify_size, size_symbols
from symback.op.table import primitive_of
from symback.structure import Nested, leaves_of, refill

_MOST_BARE = WIDTH - len("    return ")


def emit_module(
    name: str,
    inputs: Sequence[Variable],
    outputs: Nested,
    *,
    check: bool,
    sizes: Hints = NO_HINTS,
    cost: bool = False,
    build: Callable[..., Builder] = Builder,
    written: Nested,
) -> str:
    """Return the text of a module that defines the function `name` of `inputs`; docstrings describe what is `written`.

    Raises:
        InputError: If an output depends on a variable or a size that no input gives.
        InvalidNameError: If a name stands for two things.
    """
    nodes = leaves_of(outputs)
    _check_inputs(inputs, nodes)
    prepared = prepare(nodes, sizes)
    bound = _bound_sizes(inputs)
    order = toposort(prepared)
    for symbol in sorted(_symbols_of([*order, *inputs]) - bound.keys(), key=str):
        raise errors.unbound_size("lambdify", symbol.name)
    names = Names({name})
    arguments: dict[Node, str] = {variable: names.claim(variable.name) for variable in inputs}
    names.keep(node.label.name for node in order if isinstance(node, Named) and node.label.kind == "let")
    size_names = {symbol.name: names.claim(symbol.name) for symbol in bound}
    builder = build(prepared, order, names, arguments, size_names)
    checks = _size_checks(order, inputs, arguments) if check else []
    results = _returned(prepared, builder)
    body = _size_lines(builder.program, checks, bound, arguments, size_names) + builder.program.lines
    lines = without_unused([*body, _return_line(outputs, results)])
    said = leaves_of(written)
    cost_text = tally(builder, order, prepared, copied_outputs(prepared)).sentence() if cost else ""
    definition = _definition(name, arguments, [*function_docstring(inputs, said, arguments, cost_text), *lines])
    decorator = f"{_decorator(inputs, arguments, bound)}\n" if check and inputs else ""
    formula, raises = module_docstring(name, said), "InputError" in definition
    return module_text(builder.program, decorator + definition, check=bool(decorator), raises=raises, docstring=formula)


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
    program: Program,
    checks: Sequence[Check],
    bound: dict[sympy.Symbol, tuple[Variable, int]],
    arguments: dict[Node, str],
    names: dict[str, str],
) -> list[str]:
    """Write where sizes are read from, and the checks of them."""
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


# -- results --------------------------------------------------------------------------------------------


def _returned(outputs: Sequence[Node], builder: Builder) -> list[str]:
    """Return the texts of the results, some of them copied."""
    copied = _are_copied(outputs)
    return [
        f"np.array({text.signed()})" if copies else _as_result(node, text, builder.python)
        for node, text, copies in zip(outputs, builder.program.results, copied, strict=True)
    ]


def copied_outputs(outputs: Sequence[Node]) -> list[Node]:
    """Return the outputs that are copied where they are returned."""
    return [node for node, copies in zip(outputs, _are_copied(outputs), strict=True) if copies]


def _are_copied(outputs: Sequence[Node]) -> list[bool]:
    """Say which results are copied: those that would be an input, or leave twice."""
    given: set[Node] = set()
    copied = []
    for node in outputs:
        base = _memory_of(node)
        owned = isinstance(base, (Variable, Constant)) or base in given or _is_readonly(node)
        given.add(base)
        copied.append(owned and bool(node.shape))
    return copied


def _as_result(node: Node, text: Text, python: set[Node]) -> str:
    """Make a scalar a NumPy number if it is an input, a Python number, or comes as an array without axes."""
    bare = unnamed(node)
    as_array = isinstance(bare, Map) and (
        bare.operation.name == "where" or not isinstance(primitive_of(bare).numpy, str)
    )
    if not node.shape and (node in python or isinstance(bare, Variable) or as_array):
        text = as_numpy(node, text)
    return text.signed()


_VIEWS = {"reshape_to", "slice_of", "flip_along"}


def _memory_of(node: Node) -> Node:
    """Return the node whose memory this one shares: views are followed down."""
    while True:
        node = unnamed(node)
        if isinstance(node, Contract) and _is_view(node):
            node = node.parts().cores[0][0]
        elif isinstance(node, Apply) and (node.operation.name in _VIEWS or _takes_one_place(node)):
            node = node.operands[0]
        else:
            return node


def _takes_one_place(node: Apply) -> bool:
    """Are the indices single integers? Then NumPy returns a view."""
    return node.operation.name == "gather" and not any(index.shape for index in node.operands[1:])


def _is_view(node: Contract) -> bool:
    product = classify(node)
    return product.coefficient == 1 and product.kind in ("transpose", "broadcast", "diagonal")


def _is_readonly(node: Node) -> bool:
    node = unnamed(node)
    if not isinstance(node, Contract):
        return False
    product = classify(node)
    repeats = (
        bool(product.cores) and product.kind != "embed" and any(product.sizes[label] != 1 for label in product.ones)
    )
    return repeats or _is_view(node)


class _Raw:
    """An expression among the results, shown as it is."""

    def __init__(self, text: str) -> None:
        self.text = text


def _return_line(outputs: Nested, texts: Sequence[str]) -> str:
    """Write the return statement; a tuple that fits the line needs no parentheses."""
    text = _structure_text(refill(outputs, [_Raw(text) for text in texts]))
    bare = isinstance(outputs, tuple) and len(outputs) > 1 and len(text) <= _MOST_BARE
    return f"return {text[1:-1] if bare else text}"


def _structure_text(nested: Nested) -> str:
    if isinstance(nested, _Raw):
        return nested.text
    if isinstance(nested, dict):
        return f"{{{', '.join(f'{_key_text(key)}: {_structure_text(item)}' for key, item in nested.items())}}}"
    opening, closing = "[]" if isinstance(nested, list) else "()"
    last = "," if isinstance(nested, tuple) and len(nested) == 1 else ""
    return f"{opening}{', '.join(map(_structure_text, nested))}{last}{closing}"


def _key_text(key: Any) -> str:
    if type(key) not in (str, int, bool, type(None)):
        raise errors.bad_output_key(key)
    return repr(key) if not isinstance(key, str) else string_text(key)


# -- the function's head ------------------------------------------------------------------------------------


def _decorator(inputs: Sequence[Variable], arguments: dict[Node, str], bound: dict[Any, Any]) -> str:
    rows = []
    for variable in inputs:
        sizes = [_declared_size(size) for size in variable.shape]
        shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
        rows.append(f'{arguments[variable]}=("{variable.dtype.name}", {shape})')
    return f"@checked({', '.join(rows)})"


def _declared_size(size: SizeExpr) -> str:
    """Write a size for `checked`; a compound one is checked in the body, where its parts are known."""
    return str(size) if isinstance(size, int) else f'"{size}"' if isinstance(size, sympy.Symbol) else "None"
