"""Writes docs/operations.md from the registry: what each function does, its derivative, its domain, its kinks."""

import contextlib
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import symback as sb
import symback.ops
from counterparts import name_of_counterpart
from symback.codegen.function import compile_function
from symback.errors import DerivativeError, SymbackError
from symback.latex.printer import Printer
from symback.nodes.apply import Map, Operation
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import METHODS, Node
from symback.op.public import FUNCTIONS, PublicFunction
from symback.op.table import PRIMITIVES, Primitive
from symback.structure import leaves_of
from vocabulary import LISTS

HEAD = """\
# Operations

Every function of symback, from the table in which the package keeps them; written by `tests/operations_page.py`, and
held to that table by a test. Each is called by the name in its heading (`sb.exp`), and by NumPy's or SciPy's own
function where the counterpart is named (`np.exp(node)`).

In a derivative y (or r) is the result, and a bar is the gradient of the loss by what stands under it: the formula says
what an operand gets from the result of the call that is shown. Where it is a function of partial derivatives, those are
given. A condition in brackets is 1 where it holds and 0 elsewhere. Every rule also takes cotangents with leading axes,
so Jacobians and batches need no further one. What comes out at kinks and ends of domains is told function by function
here, and as a list in [conventions.md](conventions.md).

Emitted code needs NumPy alone, except where `symback[scipy]` is named.
"""

PRIMITIVES_HEAD = """\
## What functions are made of

Beside sums, products (`Contract`, the Einstein notation) and the functions that are applied entry by entry, these
primitives make up the functions above. Each states how a cotangent goes back through it; of a linear one that is its
transpose.
"""

MOST_CHARACTERS = 700
"""How long a derivative may be in print; a longer one is told in words."""

SYMBOLS = {1: ("x",), 2: ("x_1", "x_2"), 3: ("x_1", "x_2", "x_3")}


def page() -> str:
    """Return the text of docs/operations.md."""
    parts = [HEAD, "## Index\n", *index_of_lists()]
    for title, entries in sections():
        parts.append(f"## {title}\n")
        parts.extend(article(entry) for entry in entries)
    parts.append(PRIMITIVES_HEAD)
    parts.extend(primitive_article(declared) for declared in structural())
    return "\n".join(parts)


# -- the index ---------------------------------------------------------------------------------------------


def index_of_lists() -> Iterator[str]:
    """Yield a table row for each group of names that a NumPy model uses."""
    yield "| | |\n|---|---|"
    for group, names in LISTS.items():
        yield f"| {group} | {' '.join(link(name) for name in names)} |"
    yield ""


def link(name: str) -> str:
    """Return a name with the place on the page that tells of it."""
    found = entry_of(name)
    shown = f"`{name}`".replace("|", r"\|")
    return f"[{shown}](#{anchor(found.name)})" if found else shown


def anchor(name: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return name.replace(".", "").lower()


def entry_of(name: str) -> PublicFunction | None:
    """Return the entry of a function by one of its names, also without its namespace."""
    for entry in FUNCTIONS.values():
        if name in (entry.name, *entry.aliases):
            return entry
    for namespace in ("special", "linalg"):
        if f"{namespace}.{name}" in FUNCTIONS:
            return FUNCTIONS[f"{namespace}.{name}"]
    return next((entry for entry in FUNCTIONS.values() if METHODS.get(name) is entry.function), None)


# -- sections ------------------------------------------------------------------------------------------------


FOLDERS = ("elementwise", "special", "losses", "reductions", "products", "linalg", "shaping", "indexing", "creation")
"""The order of the sections: that of the folders of `symback.ops`."""


def sections() -> Iterator[tuple[str, list[PublicFunction]]]:
    """Yield the heading and the functions of each module that declares some."""
    found = pkgutil.walk_packages(symback.ops.__path__, "symback.ops.")
    modules = sorted((m.name for m in found if m.name.split(".")[2] in FOLDERS), key=place_of)
    places = {entry.name: module_of(entry, modules) for entry in FUNCTIONS.values()}
    for module in modules:
        entries = [FUNCTIONS[name] for name in sorted(places) if places[name] == module]
        if entries:
            yield title_of(module), entries


def place_of(module: str) -> tuple[int, bool, str]:
    """Return what modules are sorted by: a folder's own module comes after those in it."""
    folder = module.split(".")[2]
    return FOLDERS.index(folder), module.endswith(folder), module


def title_of(module: str) -> str:
    """Return what the first line of a module's docstring says, before any colon."""
    line = (sys.modules[module].__doc__ or module).strip().splitlines()[0]
    return re.split(r"[:;]|\. ", line)[0].rstrip(".")


def module_of(entry: PublicFunction, modules: list[str]) -> str:
    """Return the module that lists a function as its own, or else holds it."""
    own = entry.function.__module__
    if own in modules:
        return own
    holding = [name for name in modules if entry.function in vars(importlib.import_module(name)).values()]
    short = entry.name.rpartition(".")[2]
    return next((m for m in holding if short in getattr(importlib.import_module(m), "__all__", ())), holding[0])


# -- one function ----------------------------------------------------------------------------------------------


def article(entry: PublicFunction) -> str:
    """Return the paragraph of one function."""
    facts = [f"`{path_of(entry)}`" + (f", also {shown_aliases(entry)}" if shown_aliases(entry) else "")]
    facts.append(name_of_counterpart(entry.name))
    if needs_scipy(entry):
        facts.append("needs `symback[scipy]`")
    lines = [f"### {entry.name}\n", " · ".join(facts) + "\n", first_line(entry) + "\n"]
    return "\n".join([*lines, "- " + derivative(entry), *remarks(entry)]) + "\n"


def first_line(entry: PublicFunction) -> str:
    """Return what a function does: the first line of its docstring."""
    text = entry.primitive.doc if entry.primitive else inspect.getdoc(entry.function) or ""
    return text.strip().partition("\n")[0]


def path_of(entry: PublicFunction) -> str:
    """Return what a user writes to reach a function."""
    bare = entry.name.rpartition(".")[2]
    for path in (entry.name, *entry.aliases, bare):
        if reached(path) is entry.function:
            return f"sb.{path}"
    return f"np.{entry.name}"


def reached(path: str) -> Any:
    """Return the function that `sb.path` is, None if there is none."""
    try:
        return attrgetter(path)(sb)
    except AttributeError:
        return None


def shown_aliases(entry: PublicFunction) -> str:
    """Return the further names under which users have a function."""
    names = [name for name in sorted({*entry.aliases, *sb.__all__}) if reached(name) is entry.function]
    return ", ".join(f"`sb.{name}`" for name in names if f"sb.{name}" != path_of(entry))


def needs_scipy(entry: PublicFunction) -> bool:
    """Does emitted code, of the value or of the gradient, import SciPy?"""
    nodes, variables = instance(entry)
    graphs = [node for node in nodes if isinstance(node, Node)]
    graphs += [g for node in graphs for g in gradients(node, variables)[1]]
    try:
        return "scipy" in compile_function(variables, graphs).source
    except SymbackError:
        return False


def in_math(text: str) -> str:
    """Return text in which math between dollars is marked so that Markdown leaves it alone."""
    pieces = text.split("$")
    return "".join(f"$`{piece}`$" if place % 2 else piece for place, piece in enumerate(pieces))


def structural() -> list[Primitive]:
    """Return the primitives that are not elementwise, in the order of their names."""
    ours = [declared for declared in PRIMITIVES.values() if declared.kind == "structural"]
    return sorted(ours, key=lambda declared: declared.name)


def primitive_article(declared: Primitive) -> str:
    """Return the paragraph of a primitive that is not elementwise."""
    made: dict[str, Variable] = {}
    node = declared.examples[0](maker(made))
    lines = [f"### {declared.name}\n", declared.doc.strip().partition("\n")[0] + "\n"]
    if declared.vjp is None or node.dtype.kind != "f" or not any(x.dtype.kind == "f" for x in made.values()):
        lines.append("- Derivative: 0." if not declared.differentiable else "- Derivative: none.")
    else:
        found = pulled_back(node, list(made.values()))
        linear = "Linear. " if declared.linear else ""
        call = f"{letter_of([*made.values()])} = {Printer().write(node)}"
        lines.append(f"- {linear}With $`{call}`$: {found or 'a longer composition.'}")
    return "\n".join([*lines, *remarks(declared)]) + "\n"


def remarks(declared: Primitive | PublicFunction) -> list[str]:
    """Say where a function is defined, and what comes out at kinks."""
    lines = [f"- Defined: {in_math(declared.defined)}"] if declared.defined else []
    return [*lines, f"- At kinks: {in_math(declared.kinks)}"] if declared.kinks else lines


# -- derivatives -------------------------------------------------------------------------------------------------


def derivative(entry: PublicFunction) -> str:
    """Say what the derivative of a function is."""
    if entry.primitive is not None:
        return partial_derivatives(entry.primitive)
    nodes, variables = instance(entry)
    node = next((node for node in nodes if node.dtype.kind == "f"), None)
    if node is None or not any(x.dtype.kind == "f" for x in variables):
        return "Derivative: none, the result is no function of floats." if node is None else "Derivative: none."
    lines = pulled_back(node, variables)
    call = written_call(entry, letter_of(variables))
    about = f"With `{call}`" if call else "Derivative"
    return f"{about}: {lines or 'a composition of the derivatives of other functions.'}"


def pulled_back(node: Node, variables: list[Variable]) -> str:
    """Return what each operand gets from a cotangent of a result, empty if that is too long to read."""
    wrt, found = gradients(node, variables)
    names = {} if isinstance(node, Variable) else {node: letter_of(variables)}
    lines = [printed(rf"\bar{{{x.name}}}", g, names) for x, g in zip(wrt, found, strict=True)]
    return "" if None in lines else ", ".join(map(str, lines))


def partial_derivatives(declared: Primitive) -> str:
    """Say what the partial derivatives of an elementwise primitive are."""
    arity = len(declared.domain)
    if declared.derivative is None:
        return "Derivative: 0." if not declared.differentiable else "Derivative: none; differentiating it is an error."
    looks = SYMBOLS.get(arity, tuple(f"x_{k + 1}" for k in range(arity)))
    variables = [variable(look.replace("_", ""), (), "float64") for look in looks]
    node = Map(Operation(declared.name), *variables)
    found = declared.derivative(node, *variables)
    partials = found if isinstance(found, tuple) else (found,)
    known = {node: "y", **dict(zip(variables, looks, strict=True))}
    lines = [
        printed(rf"\frac{{\partial y}}{{\partial {look}}}", partial, known)
        for look, partial in zip(looks, partials, strict=True)
        if partial is not None
    ]
    return f"Derivative: {', '.join(map(str, lines))}" if lines else "Derivative: 0."


def printed(left: str, node: Node, known: dict[Node, str]) -> str | None:
    """Return an equation, or None if it is too long to read."""
    printer = Printer(names=known)
    text = printer.write(node)
    if node.dtype.kind == "b":
        text = rf"\left[ {text} \right]"
    rest = "".join(rf",\ {name.text} = {value.text}" for name, value in printer.definitions)
    equation = f"{left} = {text}{rest}"
    return None if len(equation) > MOST_CHARACTERS else f"$`{equation}`$"


def letter_of(variables: Sequence[Variable]) -> str:
    """Return the letter of the result: y, if no operand has it."""
    return "r" if any(x.name == "y" for x in variables) else "y"


def gradients(node: Node, variables: list[Variable]) -> tuple[list[Variable], list[Node]]:
    """Return the vector-Jacobian product of a node with a cotangent that is the result's letter with a bar."""
    wrt = [x for x in variables if x.dtype.kind == "f"]
    if node.dtype.kind != "f" or not wrt:
        return [], []
    cotangent = variable("y_bar", node.shape, node.dtype, latex=rf"\bar{{{letter_of(variables)}}}")
    found: list[tuple[Variable, Node]] = []
    for x in wrt:
        with contextlib.suppress(DerivativeError):  # an operand by which no derivative is known
            found += [(x, g) for g in sb.vjp([node], [x], [cotangent], disconnected="zero")]
    return [x for x, _ in found], [g for _, g in found]


def instance(entry: PublicFunction) -> tuple[list[Node], list[Variable]]:
    """Return the results of a call of a function, and its operands."""
    made: dict[str, Variable] = {}
    make = maker(made)
    if entry.primitive is not None:
        arity = len(entry.primitive.domain)
        operands = [make(f"x{k}", ()) for k in range(arity)]
        return [entry.function(*operands)], operands
    results = entry.examples[0](entry.function, make)
    return [node for node in leaves_of(results) if isinstance(node, Node)], list(made.values())


def maker(made: dict[str, Variable]) -> Callable[..., Variable]:
    """Return a maker of operands that enters them by name."""

    def make(name: str, shape: Any = (), **options: Any) -> Variable:
        made.setdefault(name, variable(name, tuple(shape), options.get("dtype") or "float64"))
        return made[name]

    return make


class Written(str):
    """The name of an operand, or the text of a call."""

    __repr__ = str.__str__


def written_call(entry: PublicFunction, result: str) -> str:
    """Return the first example as text, empty where it is more than a call on operands."""

    def make(name: str, *shape: Any, **options: Any) -> Written:
        return Written(name)

    def call(*arguments: Any, **options: Any) -> Written:
        texts = [*map(repr, arguments), *(f"{name}={value!r}" for name, value in options.items())]
        return Written(f"{result} = {entry.name.rpartition('.')[2]}({', '.join(texts)})")

    try:
        text = entry.examples[0](call, make)
    except Exception:
        return ""
    return text if isinstance(text, Written) and "object at" not in text and "\n" not in text else ""
