"""A program: the assignments that compute a graph, each with a name that says what it holds."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.codegen.in_place import VALUES, InPlace
from symback.codegen.products import multiplied, product_text
from symback.codegen.scalars import may_join, python_numbers, terms_of
from symback.codegen.several import count_parts, parts_in
from symback.codegen.source.module import Program
from symback.codegen.source.naming import Names, suggestion
from symback.codegen.source.text import (
    Text,
    assignment,
    call,
    deepest,
    dtype_argument,
    exact_text,
    size_text,
    sum_text,
    template_text,
)
from symback.codegen.speller import Operand, Reduction, Speller, as_numpy
from symback.codegen.structure.diagonals import diagonal_text
from symback.graph import toposort
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named, unnamed
from symback.nodes.classify import Product, classify
from symback.nodes.contract import Contract, times
from symback.nodes.dtypes import FLOAT32
from symback.nodes.leaves import Constant, Exact, Ones, Size, Variable
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr, size_symbols
from symback.op.table import primitive_of
from symback.ops.undefined import Partial

_MOST_DEPTH = 7
_MOST_CHARACTERS = 88


class Builder:
    """Writes the statements of a prepared graph."""

    def __init__(
        self,
        outputs: Sequence[Node],
        order: Sequence[Node],
        names: Names,
        arguments: dict[Node, str],
        sizes: dict[str, str],
        inner: Collection[Node] = (),
    ) -> None:
        self.program = Program()
        self._names = names
        self._size_names = sizes
        self._texts: dict[Node, Text] = {}
        self._known = dict(arguments)
        self._products: dict[Node, Product] = {}
        self._below: dict[Node, tuple[Any, Text]] = {}
        self._ratios: dict[Node, tuple[Text, Text]] = {}
        self._outputs = {unnamed(output) for output in outputs}
        self._inner = inner
        self._labels = {node.operands[0]: node.label for node in order if isinstance(node, Named)}
        self._parts = parts_in(order)
        self._uses = self._count_uses(outputs, order)
        self._forward = self._forward_nodes([output for output in outputs if output not in inner], order)
        self._in_place = InPlace(order, self._uses, self._labels, self._texts, self._known)
        numbers = python_numbers(order, self._products)
        mixed = any(node.dtype.name != "float64" and not node.is_weak for node in order)
        self.python = {node for node in numbers if node.is_weak} if mixed else numbers
        self._strong = numbers - self.python
        for node in order:
            if self._uses[node]:
                self._texts[node] = self._write(node)
        self.program.results = [self._texts[output] for output in outputs]

    def held(self) -> tuple[Mapping[Node, str], Collection[Node]]:
        """Return the names of arguments and of what statements compute, and what is written into parts of arrays."""
        return self._known, self._in_place.parts

    # -- what the statements need -------------------------------------------------------------

    def _count_uses(self, outputs: Sequence[Node], order: Sequence[Node]) -> dict[Node, int]:
        """Count uses, of a named expression under either; a factor that stands twice is written once, as a square."""
        uses = dict.fromkeys(order, 0)
        for output in outputs:
            uses[output] += 1
        for node in order:
            operands: Sequence[Node] = node.operands
            if isinstance(node, Contract):
                product = self._products[node] = classify(node)
                terms = product.cores
                once = product.kind == "hadamard" and all(
                    terms.count(term) <= 2 and term[0].dtype.kind != "b" for term in terms
                )
                operands = [core for core, _ in (dict.fromkeys(terms) if once else terms)]
            for operand in operands:
                uses[operand] += 1
            if isinstance(node, Map):
                _count_template(node, uses)
        for node in reversed(order):
            if isinstance(node, Named):
                uses[node.operands[0]] += uses[node] - 1
        return uses

    def _forward_nodes(self, outputs: Sequence[Node], order: Sequence[Node]) -> set[Node]:
        """Return the nodes that the user's own quantities are computed from: no adjoint gives them a name."""
        lets = [node for node in order if isinstance(node, Named) and node.label.kind == "let"]
        return set(toposort([*lets, *(output for output in outputs if not isinstance(output, Named))]))

    def size(self, size: SizeExpr) -> Text:
        """Write a size and remember what it needs."""
        self.program.sizes.update(symbol.name for symbol in size_symbols(size))
        return size_text(size, self._size_names)

    def shape(self, shape: Sequence[SizeExpr]) -> str:
        """Write a shape and remember what it needs."""
        texts = [self.size(size).text for size in shape]
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"

    def helper(self, function: Callable[..., Any]) -> str:
        """Have a function's source written into the module, or the module given the function; return its name."""
        if isinstance(function, Partial):
            return self.program.functions.setdefault(function, self._names.claim_for(function, function.word))
        return self.program.helper(function)

    def constant(self, wanted: str, array: np.ndarray[Any, Any]) -> str:
        """Have the module define an array; return its name."""
        found = next((name for name, known in self.program.constants.items() if known is array), None)
        name = found or self._names.claim(wanted)
        self.program.constants[name] = array
        return name

    def product_of(self, node: Node) -> Product:
        """Return a product under its name."""
        return self._products[node]

    def entries_of(self, node: Node) -> Text:
        """Write what stands on a diagonal; NumPy repeats what is to be repeated."""
        product = self._products[node]
        if not product.cores:
            return exact_text(product.coefficient)
        flat = product._replace(out=tuple(dict.fromkeys(product.out)), ones=(), kind="hadamard")
        texts = [self.factor(core, product) for core, _ in product.cores]
        return product_text(node, flat, texts, [False] * len(texts), self.shape)

    def fill_zeros(self, node: Node, shape: Sequence[SizeExpr], assign: Callable[[str], str]) -> str:
        """Write zeros and an assignment into them."""
        name = self._name(node)
        self.program.lines += [f"{name} = np.zeros({self.shape(shape)}{dtype_argument(node.dtype)})", assign(name)]
        return name

    def update(self, node: Node, assign: Callable[[str], str]) -> str:
        """Write a copy of the first operand, and assignments into it."""
        name = self._name(node)
        self.program.lines += [*self._in_place.update(self, node, name), assign(name)]
        return name

    def operand_texts(self, node: Apply) -> list[Text]:
        """Return the texts of the operands; a value that is written into a part is left to NumPy's broadcasting."""
        value = VALUES.get(node.operation.name)
        return [self._texts[x] if k != value else self._unrepeated(x) for k, x in enumerate(node.operands)]

    def _unrepeated(self, node: Node) -> Text:
        product = self._products.get(node)
        if isinstance(node, Ones) or (product is not None and product.kind == "fill"):
            return exact_text(1 if product is None else product.coefficient)
        if product is None or node in self._known or product.kind == "embed" or not product.ones:
            return self._texts[node]
        texts = [self.factor(core, product) for core, _ in product.cores]
        smaller = product._replace(ones=(), kind="hadamard")
        return product_text(node, smaller, texts, [False] * len(texts), self.shape)

    # -- naming --------------------------------------------------------------------------------

    def _name(self, node: Node) -> str:
        label = self._labels.get(node)
        own = label is not None and label.kind == "let"
        usable = label is not None and (label.kind in ("let", "guard") or node not in self._forward)
        wanted = label.name if label is not None and usable else suggestion(node, self._known)
        name = self._known[node] = self._names.claim(wanted, own=own)
        return name

    def _write(self, node: Node) -> Text:
        """Return the text that stands for a node, after writing its assignment if it gets one."""
        if isinstance(node, Named):
            return self._texts[node.operands[0]]
        if node in self._in_place.parts:
            return Text("")  # what it is a part of writes it
        if node in self._known:
            return Text(self._known[node])
        if node in self._in_place.indices:
            return self._in_place.indices[node]
        text = self._spell(node)
        if node in self._known:
            return Text(self._known[node])
        if node in self._strong:
            text = as_numpy(node, text)
        if not self._assigned(node, text):
            return text
        self._below.pop(node, None)
        self._ratios.pop(node, None)
        self.program.lines += assignment(self._name(node), text)
        return Text(self._known[node])

    def _assigned(self, node: Node, text: Text) -> bool:
        label = self._labels.get(node)
        if label is not None and label.kind == "let":
            return True
        if isinstance(node, (Exact, Size, Constant)):
            return False
        if node.shape == () and node in self._products and self._products[node].kind == "fill":
            return False
        if label is not None and node in self._outputs and node not in self._forward:
            return True
        if self._uses[node] > 1 and not self._is_view(node):
            return True
        return text.depth > _MOST_DEPTH or len(text.text) > _MOST_CHARACTERS

    def _is_view(self, node: Node) -> bool:
        """Is this cheap and short enough to write again: a view of something named, or 1 / N?"""
        if node in self._products:
            return self._products[node].kind == "transpose" and unnamed(node.operands[0]) in self._known
        if isinstance(node, Apply) and node.operation.name == "slice_of":
            return unnamed(node.operands[0]) in self._known
        return node.shape == () and node in self._below and self._below[node][1].text.isidentifier()

    # -- spelling ------------------------------------------------------------------------------

    def _spell(self, node: Node) -> Text:
        if node in self._in_place.pieces:
            return self._spell_pieces(node)
        if isinstance(node, Contract):
            return self._spell_product(node)
        if isinstance(node, Plus):
            return sum_text([self._texts[operand] for operand in terms_of(node, self.python)])
        texts = [self._texts[operand] for operand in node.operands]
        if isinstance(node, Apply):
            return self._spell_primitive(node, texts)
        if isinstance(node, Exact):
            return exact_text(node.value)
        if isinstance(node, Size):
            return self.size(node.size)
        if isinstance(node, Ones):
            if not node.shape:
                return Text("1.0") if node.dtype.name == "float64" else as_numpy(node, Text("1"))
            return call("np.ones", f"{self.shape(node.shape)}{dtype_argument(node.dtype)}")
        if isinstance(node, Variable):
            raise errors.missing_input("lambdify", [node.name])
        assert isinstance(node, Constant)
        name = self._known[node] = self.constant("CONSTANT", node.array)
        return Text(name)

    def _spell_product(self, node: Contract) -> Text:
        product = self._products[node]
        if product.kind == "embed":
            return diagonal_text(self, node, product)
        texts, inverse = [], []
        coefficient = product.coefficient
        if product.kind == "scale" and product.cores[0][0] in self._ratios:
            above, below = self._ratios[product.cores[0][0]]
            return multiplied(coefficient, [above], [below], to_float=False)
        for place, (core, _) in enumerate(product.cores):
            first = product.ones and (place == 0 or product.cores[0][0].dtype.kind != "f")  # what gets all axes
            reciprocal = self._below.get(core) if product.kind == "hadamard" and not first else None
            if reciprocal is not None:
                coefficient = times(coefficient, reciprocal[0])
            texts.append(self.factor(core, product) if reciprocal is None else reciprocal[1])
            inverse.append(reciprocal is not None)
        return product_text(node, product._replace(coefficient=coefficient), texts, inverse, self.shape)

    def factor(self, node: Node, product: Product) -> Text:
        """Return the text of a factor, as a NumPy number if an axis is to be put to it."""
        arithmetic = product.kind in ("hadamard", "scale") and not product.ones
        text = self._texts[node]
        return text if arithmetic or node not in self.python else as_numpy(product, text)

    def _spell_pieces(self, node: Node) -> Text:
        """Write a sum whose pieces are added in place, or one piece."""
        name = self._name(node)
        self.program.lines += self._in_place.add_pieces(self, node, name)
        return Text(name)

    def _spell_primitive(self, node: Apply, texts: Sequence[Text]) -> Text:
        declared = primitive_of(node)
        spelling = declared.numpy
        texts = texts if declared.promotes else self._as_arrays(node, texts)
        if declared.part is not None:
            return self._spell_part(node, texts)
        if declared.kind == "structural" and not isinstance(spelling, str):
            return self._spell_structural(node, spelling)
        if not isinstance(spelling, str):
            return call(self.helper(spelling), *(text.signed() for text in texts), depth=deepest(texts))
        if "{" not in spelling:
            if spelling.startswith("scipy."):
                spelling = self._imported(spelling)
            return call(spelling, *(text.signed() for text in texts), depth=deepest(texts))
        if declared.name == "divide":
            if may_join(node, self.python):
                self._ratios[node] = (texts[0], texts[1])
            if isinstance(node.operands[0], Exact):
                self._below[node] = (node.operands[0].value, texts[1])
        if declared.name == "divide" and all(operand in self.python for operand in node.operands):
            texts = [as_numpy(node, texts[0]), texts[1]]  # Python raises where NumPy gives inf
            self.python.discard(node)
        return template_text(spelling, texts)

    def _as_arrays(self, node: Node, texts: Sequence[Text]) -> Sequence[Text]:
        """Write Python numbers as float32 where the result is: among operands of ufuncs alone they are weak."""
        wanted = self.python if node.dtype == FLOAT32 and isinstance(node, Map) else ()
        return [as_numpy(node, text) if x in wanted else text for x, text in zip(node.operands, texts, strict=True)]

    def _spell_structural(self, node: Apply, spelling: Callable[..., Any]) -> Text:
        speller = Speller(self, node)
        texts = self.operand_texts(node)
        number = {x: node if node.dtype == FLOAT32 else x for x in node.operands if x in self.python}
        strong = [as_numpy(number[x], t) if x in number else t for x, t in zip(node.operands, texts, strict=True)]
        written = [Operand.of(text, weak) for text, weak in zip(strong, texts, strict=True)]
        text = spelling(speller, written, node.operation.parameters)
        return Text(text, depth=deepest(strong), reduced=text.axes if isinstance(text, Reduction) else ())

    def _spell_part(self, node: Apply, texts: Sequence[Text]) -> Text:
        """Write one call that returns several results, each to a name; ``_`` stands for those that nothing uses."""
        declared = primitive_of(node)
        parts = self._parts[declared.numpy, node.operands, node.operation.parameters]
        shared = any(self._uses[part] for part in parts.values() if part is not node)
        spelling = declared.numpy if shared or declared.alone is None else declared.alone
        text = template_text(spelling, texts) if isinstance(spelling, str) else self._spell_structural(node, spelling)
        if spelling is declared.alone:
            return text
        names = [self._name(parts[k]) if k in parts and self._uses[parts[k]] else "_" for k in range(count_parts(node))]
        self.program.lines.append(f"{', '.join(names)} = {text.text}")
        return Text(self._known[node])

    def _imported(self, spelling: str) -> str:
        """Have a module of SciPy imported; return the function's name in the emitted module."""
        package, module, function = spelling.split(".")
        self.program.imports.add((package, module))
        return f"{module}.{function}"


def _count_template(node: Map, uses: dict[Node, int]) -> None:
    """Count an operand that a template writes more than once as often as it stands there."""
    spelling = primitive_of(node).numpy
    if isinstance(spelling, str) and spelling.count("{") > len(node.operands):
        for position, operand in enumerate(node.operands):
            uses[operand] += spelling.count(f"{{{position}}}") - 1
