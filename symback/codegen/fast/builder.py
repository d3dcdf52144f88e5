"""The fast style: statements in three-address form, whose results are written to memory that is there already.

Each array has a statement of its own, so that its memory can be that of an operand which nothing needs any more.
What is no elementwise function, matrix product or sum is spelled as the readable style spells it.
"""

from collections.abc import Sequence
from typing import Any

from symback.codegen.fast.blocks import blocked
from symback.codegen.fast.buffers import Buffer, Planner, bound_to
from symback.codegen.fast.inline import Call, calls_of_helper, calls_of_template
from symback.codegen.fast.steps import (
    OPERATORS,
    ZERO_WHERE_NOT,
    Array,
    Operand,
    Step,
    aligned_shape,
    broadcast_shape,
    compared_as_floats,
    early,
    share_names,
    turned,
)
from symback.codegen.fresh import is_fresh
from symback.codegen.outer import repeats_blocks
from symback.codegen.products import aligned, matrix_factors, stacked_factors
from symback.codegen.program import Builder
from symback.codegen.source.text import Text, coefficient_factor, exact_text
from symback.nodes.add import Plus
from symback.nodes.apply import Apply, Map, Named
from symback.nodes.classify import Product
from symback.nodes.contract import Contract, is_zero
from symback.nodes.exact_numbers import times
from symback.nodes.leaves import Exact
from symback.nodes.node import Node
from symback.nodes.shapes import Shape, broadcast_shapes
from symback.op.table import primitive_of
from symback.ops.numerics import in_place

_FRESH = {"softmax_over", "logsumexp_over"}
"""Primitives beside `is_fresh` whose results nothing else holds."""

_FACTORS = {"matmul": matrix_factors, "matvec": matrix_factors, "vecmat": matrix_factors, "batched": stacked_factors}


class FastBuilder(Builder):
    """Writes the statements of a prepared graph so that they make few arrays."""

    def __init__(self, outputs: Sequence[Node], *rest: Any, reuse_buffers: bool = True) -> None:
        self._steps: list[Step] = []
        self._arrays: dict[Node, Array] = {}
        self._reads: dict[Node, frozenset[Array]] = {}
        self._newly: list[Node] = []
        super().__init__(outputs, *rest)
        results = frozenset().union(*(self._reads[output] for output in outputs))
        leaving = frozenset().union(*(self._reads[output] for output in outputs if output not in self._inner))
        steps = blocked(early(self._steps), results, self._names.claim, self.shape)
        share_names(steps, results, {label.name for label in self._labels.values()})
        plan = Planner(steps, results, leaving, keep=reuse_buffers).plan()
        self.program.lines = plan.lines
        if plan.masks:
            self.helper(in_place.zero_where_not)
        if plan.kept:
            self.program.lines[:0] = self._kept(plan.kept)

    def _kept(self, kept: Sequence[Buffer]) -> list[str]:
        shapes = ", ".join(self.shape(buffer.shape) for buffer in kept)
        kind = "" if kept[0].dtype.name == "float64" else f", dtype=np.{kept[0].dtype.name}"
        return bound_to(kept, f"{self.helper(in_place.kept_arrays)}({shapes}{kind})", self._names.claim)

    # -- which nodes get statements of their own --------------------------------------------------

    def _name(self, node: Node) -> str:
        self._newly.append(node)
        return super()._name(node)

    def _write(self, node: Node) -> Text:
        self._newly = []
        if isinstance(node, Named):
            self._reads[node] = self._reads[node.operands[0]]
            return self._texts[node.operands[0]]
        if node in self._arrays:
            self._reads[node] = frozenset([self._arrays[node]])
            return Text(self._known[node])
        text = self._stated(node)
        return self._spelled(node) if text is None else text

    def _spelled(self, node: Node) -> Text:
        """Spell a node as the readable style does, and enter the lines that it wrote as one statement."""
        reads = frozenset().union(*(self._reads.get(operand, frozenset()) for operand in node.operands))
        text = super()._write(node)
        lines, self.program.lines = self.program.lines, []
        if lines:
            for made in self._newly:
                fresh = is_fresh(made) or not made.shape or (isinstance(made, Apply) and made.operation.name in _FRESH)
                shares = frozenset() if fresh else reads
                self._arrays[made] = Array(self._known[made], made.shape, made.dtype, fresh, shares)
            targets = tuple(self._arrays[made] for made in self._newly)
            self._steps.append(Step(targets, (Operand(Text(""), reads),), lines=lines))
        self._reads[node] = frozenset([self._arrays[node]]) if node in self._arrays else reads
        return text

    def _stated(self, node: Node) -> Text | None:
        """State what a node computes, if it is an array that a function of NumPy's can write somewhere."""
        held = self._in_place
        left_out = node in self._known or node in held.parts or node in held.pieces or node in held.indices
        if left_out or node.dtype.kind != "f":
            return None
        if not node.shape:
            return self._state_total(node) if isinstance(node, Contract) else None
        if isinstance(node, Plus) and self._is_uniform(node, node.operands):
            return self._state_sum(node)
        if isinstance(node, Contract):
            return self._state_product(node, self._products[node])
        return self._state_map(node) if isinstance(node, Map) else None

    def _is_uniform(self, node: Node, operands: Sequence[Node]) -> bool:
        """Are all arrays among the operands of the dtype of the node, so that no partial result has another?"""
        arrays = [operand for operand in operands if not operand.is_weak and operand not in self.python]
        return bool(arrays) and all(operand.dtype == node.dtype for operand in arrays)

    # -- operands and statements -------------------------------------------------------------------

    def _ref(self, node: Node, text: Text | None = None) -> Operand:
        """Return an operand; `text` is another text of the same entries, such as a view."""
        text = self._texts[node] if text is None else text
        reads = self._reads.get(node, frozenset())
        return Operand(text, reads, next((array for array in reads if array.name == text.text), None), node.shape)

    def _state(self, name: str, function: str, operands: Sequence[Operand], like: Node, shape: Shape) -> Operand:
        operands = [turned(operand, shape) for operand in operands] if function in OPERATORS else operands
        array = Array(name, shape, like.dtype)
        self._steps.append(Step((array,), tuple(operands), function, elementwise=function[3:] not in ("matmul", "dot")))
        return Operand.of(array)

    def _finish(self, node: Node, made: Operand, *, negative: bool = False) -> Text:
        """Bind a node to the array that was made for it; a sign that is left over goes to what uses it."""
        assert made.array is not None
        label = self._labels.get(node)
        if negative and (label is not None or self._uses[node] > 1 or node in self._outputs):
            made, negative = self._state(made.array.name, "np.negative", [made], node, node.shape), False
        assert made.array is not None
        self._arrays[node] = made.array
        self._reads[node] = frozenset([made.array])
        return Text(made.array.name, negative=negative)

    # -- sums -----------------------------------------------------------------------------------------

    def _state_sum(self, node: Plus) -> Text:
        terms = list(node.operands)
        whole = [term for term in terms if term.shape == node.shape]
        if not whole and broadcast_shapes("add", terms[:2]) != node.shape:
            return self._spelled(node)
        if whole and len(terms) > 2:
            terms.remove(whole[0])
            terms.insert(0, whole[0])
        name = self._name(node)
        refs = [self._ref(term) for term in terms]
        signs = [ref.text.negative for ref in refs]
        refs = [ref._replace(text=ref.text._replace(negative=False)) for ref in refs]
        first, second, *rest = zip(signs, refs, strict=True)
        if first[0] and not second[0]:
            first, second = second, first
        function = "np.add" if first[0] == second[0] else "np.subtract"
        total = self._state(name, function, [first[1], second[1]], node, node.shape)
        for sign, ref in rest:
            total = self._state(name, "np.add" if sign == first[0] else "np.subtract", [total, ref], node, node.shape)
        return self._finish(node, total, negative=first[0])

    # -- products -------------------------------------------------------------------------------------

    def _state_product(self, node: Contract, p: Product) -> Text | None:
        uniform = self._is_uniform(node, [core for core, _ in p.cores if core.dtype.kind != "b"])
        if not uniform or repeats_blocks(p):
            return None
        if p.kind == "scale" and p.coefficient == -1 and node not in self._labels:
            return None if node in self._outputs else self._negated(node, p)
        if p.kind in _FACTORS and not p.ones:
            return self._state_matmul(node, p)
        if p.kind in ("hadamard", "scale") and all(p.sizes[label] == 1 for label in p.ones):
            return self._state_hadamard(node, p)
        if p.kind == "outer":
            left = Text(f"{self._texts[p.cores[0][0]].wrapped(100)}[:, None]")
            refs = [self._ref(p.cores[0][0], left), self._ref(p.cores[1][0])]
            if refs[1].text.negative:
                return None
            return self._scaled(node, p, self._state(self._name(node), "np.multiply", refs, node, node.shape))
        return self._state_reduction(node, p) if p.kind == "sum" else None

    def _negated(self, node: Contract, p: Product) -> Text:
        text = self._texts[p.cores[0][0]]
        self._reads[node] = self._reads[p.cores[0][0]]
        return text._replace(negative=not text.negative)

    def _scaled(self, node: Contract, p: Product, made: Operand, *, negative: bool = False) -> Text:
        """Multiply by the coefficient."""
        factor = coefficient_factor(p.coefficient)
        for function, literal in (("np.multiply", factor.times), ("np.divide", factor.over)):
            if literal is not None:
                made = self._state(self._known[node], function, [made, Operand(Text(literal))], node, node.shape)
        return self._finish(node, made, negative=negative ^ factor.negative)

    def _state_matmul(self, node: Contract, p: Product) -> Text | None:
        texts = [self._texts[core] for core, _ in p.cores]
        factors = _FACTORS[p.kind](p, [text._replace(negative=False) for text in texts])
        if factors is None:
            return None
        reads = frozenset().union(*(self._reads.get(core, frozenset()) for core, _ in p.cores))
        refs = [Operand(text, reads) for text in factors]
        made = self._state(self._name(node), f"np.{'matmul' if p.kind == 'batched' else 'dot'}", refs, node, node.shape)
        return self._scaled(node, p, made, negative=texts[0].negative ^ texts[1].negative)

    def _state_hadamard(self, node: Contract, p: Product) -> Text | None:
        """Multiply entry by entry, masks last, and divide by what stands as 1 / y."""
        over = {core: self._below[core] for core, _ in p.cores if core in self._below and p.kind == "hadamard"}
        order = sorted(p.cores, key=lambda term: (term[0] in over, term[0].dtype.kind == "b"))
        coefficient = p.coefficient
        factors: list[tuple[bool, Operand]] = []
        for core, labels in order:
            coefficient = times(coefficient, over[core][0]) if core in over else coefficient
            text = over[core][1] if core in over else self.factor(core, p)
            full = bool(p.ones) and not factors
            if full and core in over:
                return None
            view = aligned(text, labels, p, full=full)
            shape = core.shape if view is text else aligned_shape(labels, p, full=full)
            factors.append((core in over, self._ref(core, view)._replace(shape=shape)))
        return self._multiplied(node, p._replace(coefficient=coefficient), factors)

    def _multiplied(self, node: Contract, p: Product, factors: list[tuple[bool, Operand]]) -> Text | None:
        factor = coefficient_factor(p.coefficient)
        if factors[0][0]:
            factors.insert(0, (False, Operand(Text(factor.times or "1"))))
            p = p._replace(coefficient=1) if factor.over is None and not factor.negative else p
            if p.coefficient != 1:
                return None
        negative = False
        for _, operand in factors:
            negative ^= operand.text.negative
        plain = [(below, ref._replace(text=ref.text._replace(negative=False))) for below, ref in factors]
        name = self._name(node)
        if len(plain) == 1:
            return self._single(node, p, plain[0][1], negative)
        (_, made), *rest = plain
        terms = [operand.shape for _, operand in plain]
        for number, (below, operand) in enumerate(rest, 2):
            shape = broadcast_shape(terms[:number])
            squared = operand.text == made.text and not below and made.array is operand.array
            if squared:
                made = self._state(name, "np.square", [made], node, shape)
            else:
                made = self._state(name, "np.divide" if below else "np.multiply", [made, operand], node, shape)
        return self._scaled(node, p, made, negative=negative)

    def _single(self, node: Contract, p: Product, ref: Operand, negative: bool) -> Text:
        factor = coefficient_factor(p.coefficient)
        if factor.times is not None or factor.over is not None:
            return self._scaled(node, p, ref, negative=negative)
        made = self._state(self._known[node], "np.negative", [ref], node, node.shape)
        return self._finish(node, made, negative=not negative ^ factor.negative)

    def _state_reduction(self, node: Contract, p: Product) -> Text | None:
        """Sum over axes, where what is left stands in its order."""
        labels = p.cores[0][1]
        if p.ones or [label for label in labels if label in p.out] != list(p.out):
            return None
        axes = tuple(axis for axis, label in enumerate(labels) if label not in p.out)
        ref = self._ref(p.cores[0][0])
        ref, negative = ref._replace(text=ref.text._replace(negative=False)), ref.text.negative
        array = Array(self._name(node), node.shape, node.dtype)
        option = f"axis={axes[0] if len(axes) == 1 else axes}"
        self._steps.append(Step((array,), (ref,), "np.add.reduce", option))
        return self._scaled(node, p, Operand.of(array), negative=negative)

    def _state_total(self, node: Contract) -> Text | None:
        """Sum all entries of an array, or of the product of two, where that is not the user's own quantity."""
        p = self._products[node]
        if p.kind not in ("sum", "inner", "frobenius") or not self._is_uniform(node, [core for core, _ in p.cores]):
            return None
        refs = [self._ref(core) for core, _ in p.cores]
        if any(ref.array is None or ref.text.negative for ref in refs) or len({labels for _, labels in p.cores}) > 1:
            return None
        array = Array(self._name(node), (), node.dtype)
        function, option = ("np.add.reduce", "axis=None") if p.kind == "sum" else ("np.vdot", "")
        self._steps.append(Step((array,), tuple(refs), function, option))
        return self._scaled(node, p, Operand.of(array))

    # -- elementwise functions ----------------------------------------------------------------------

    def _state_map(self, node: Map) -> Text | None:
        declared = primitive_of(node)
        if declared.part is not None or not self._is_uniform(node, [x for x in node.operands if x.dtype.kind != "b"]):
            return None
        if declared.name == "where":
            return self._state_where(node)
        inline = self._uses[node] == 1 and node not in self._labels and node not in self._outputs
        if inline and declared.name == "divide" and isinstance(node.operands[0], Exact):
            return None  # the product that uses it divides
        literals = tuple(exact_text(x.value).signed() if isinstance(x, Exact) else None for x in node.operands)
        text = declared.numpy
        calls = calls_of_template(text, literals) if isinstance(text, str) else calls_of_helper(text)
        strong = declared.promotes or node.dtype.itemsize > 4  # else Python's numbers are written as float32
        if any(x.dtype.kind == "b" or (x.is_weak and not strong) for x in node.operands):
            return None
        if calls is None:
            return self._state_helper(node, declared.numpy)
        return self._finish(node, self._run(node, calls))

    def _run(self, node: Map, calls: Sequence[Call]) -> Operand:
        """State the calls that a function is made of; all but the first result of a name have a name of their own."""
        name = self._name(node)
        given = [self._positive(self._ref(operand), name, node) for operand in node.operands]
        made: list[Operand] = []
        for number, call in enumerate(calls):
            refs = [
                Operand(Text(argument)) if isinstance(argument, str)
                else given[argument] if argument >= 0 else made[-argument - 1]
                for argument in call.arguments
            ]  # fmt: skip
            later = {argument for other in calls[number + 1 :] for argument in other.arguments}
            pending = any(-(k + 1) in later and made[k].text.text == name for k in range(number))
            own = self._names.claim(f"{name}_part") if pending else name
            shape = broadcast_shape([ref.shape for ref in refs])
            made.append(self._state(own, call.function, refs, node, shape))
        return made[-1]

    def _positive(self, ref: Operand, name: str, node: Node) -> Operand:
        """Return an operand without a sign before it."""
        if not ref.text.negative or not ref.shape:
            return ref
        plain = ref._replace(text=ref.text._replace(negative=False))
        return self._state(self._names.claim(f"minus_{name}"), "np.negative", [plain], node, ref.shape)

    def _state_helper(self, node: Map, spelling: Any) -> Text | None:
        """Call a helper, which makes a new array."""
        if isinstance(spelling, str):
            return None
        places = ", ".join(f"{{{place}}}" for place in range(len(node.operands)))
        refs = [self._ref(operand) for operand in node.operands]
        template = f"{self.helper(spelling)}({places})"
        return self._finish(node, self._state(self._name(node), template, refs, node, node.shape))

    def _state_where(self, node: Map) -> Text | None:
        mask, array, other = node.operands
        if not is_zero(other) or array.shape != node.shape or array.dtype != node.dtype or self._texts[array].negative:
            return None
        refs = [self._ref(array), compared_as_floats(self._ref(mask), mask)]
        return self._finish(node, self._state(self._name(node), ZERO_WHERE_NOT, refs, node, node.shape))
