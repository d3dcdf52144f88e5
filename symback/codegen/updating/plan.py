"""In which stages new values of arguments are computed, such that nothing is overwritten that is still to be read.

The first stage computes results, and the new values that need no other new value; each further one the new value of
one variable, from what is written by then. A new value that others need is read from the array it is written to, if
nothing needs the old value after that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symback.codegen.source.text import Text
from symback.codegen.updating.steps import Step, update_steps
from symback.errors import training as messages
from symback.graph import dependents, toposort
from symback.nodes.apply import Named, unnamed
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.ops.elementwise.logic import astype


@dataclass(frozen=True)
class NewValues:
    """The new values of arguments that a function writes.

    Attributes:
        targets: The arguments.
        values: The new value of each.
        named: What has an assignment of its own in readable code, if it is computed: the gradients.
    """

    targets: tuple[Variable, ...] = ()
    values: tuple[Node, ...] = ()
    named: tuple[Node, ...] = ()

    @property
    def nodes(self) -> list[Node]:
        """What a pass over the graph is to rewrite, in the order of `refilled`."""
        return [*self.values, *self.named]

    def refilled(self, nodes: Sequence[Node]) -> "NewValues":
        """Return the same targets with what became of `nodes`."""
        count = len(self.targets)
        return replace(self, values=tuple(nodes[:count]), named=tuple(nodes[count:]))


NOTHING_NEW = NewValues()


def new_values(targets: Sequence[Node], values: Sequence[Node], inputs: Collection[Variable]) -> NewValues:
    """Return new values, if they are the inputs' own: of their shapes and dtypes.

    Raises:
        InputError: If what is to be updated is no input, or stands twice.
        ShapeError: If a new value has another shape.
        DtypeError: If it has another dtype.
    """
    made: dict[Variable, Node] = {}
    for target, value in zip(targets, values, strict=True):
        if not isinstance(target, Variable):
            raise messages.not_updated(target)
        if target not in inputs:
            raise messages.updated_no_input(target.name)
        if target in made:
            raise messages.updated_twice(target.name)
        if value.shape != target.shape:
            raise messages.updated_shape(target, value)
        weak = value.is_weak and (value.dtype.kind, target.dtype.kind) in (("i", "i"), ("i", "f"), ("f", "f"))
        made[target] = astype(value, target.dtype) if weak else value
        if made[target].dtype != target.dtype:
            raise messages.updated_dtype(target, value)
    adjoints = {f"d_{target.name}" for target in made}
    named = [
        node
        for node in toposort(made.values())
        if isinstance(node, Named) and node.label.kind == "adjoint" and node.name in adjoints
    ]
    return NewValues(tuple(made), tuple(made.values()), tuple(named))


@dataclass(eq=False)
class Update:
    """One variable and what becomes of it.

    Attributes:
        target: The variable.
        new: Its new value.
        steps: What is done to the array.
        needs: The variables whose new values are read from the arrays they are written to.
        reads: The other variables whose old values are read while this one is written.
        texts: The operands of the steps as they are written, once that is known.
    """

    target: Variable
    new: Node
    steps: list[Step]
    needs: set[Variable] = field(default_factory=set)
    reads: set[Variable] = field(default_factory=set)
    texts: list[Text] = field(default_factory=list)

    @property
    def operands(self) -> list[Node]:
        """The operands of the steps."""
        return [step.operand for step in self.steps]

    def is_free(self, waiting: Collection[Variable], readers: Iterable["Update"]) -> bool:
        """Is all written that it needs, and do none of the `readers` need what it overwrites?"""
        overwrites = any(self.target in other.reads for other in readers if other is not self)
        return not overwrites and self.needs.isdisjoint(waiting)


class Plan:
    """The stages of one program.

    Attributes:
        outputs: The results.
        new: The new value of each variable that has another one than before.
        early: The variables whose new values are read from the array, by the new value.
        updates: What becomes of each variable, in the order given.
        memory: For each node the variables whose memory its value may look into.
    """

    def __init__(
        self, outputs: Sequence[Node], new: Mapping[Variable, Node], memory: dict[Node, frozenset[Variable]]
    ) -> None:
        self.outputs = list(outputs)
        self.new = {x: unnamed(node) for x, node in new.items() if unnamed(node) is not x}
        self.memory = memory
        everything = [*outputs, *new.values()]
        self._computed = dependents(everything, [node for node in memory if isinstance(node, Variable)])
        self._inside = set(toposort(outputs))
        self._below = {x: set(toposort([node])) - {node} for x, node in self.new.items()}
        self.early = self._candidates()
        self.updates = self._updates()
        while stuck := self._stuck():
            fewer = {node: x for node, x in self.early.items() if x not in stuck}
            self.early = fewer if len(fewer) < len(self.early) else {}
            self.updates = self._updates()

    @property
    def first(self) -> list[Update]:
        """The updates of the first stage."""
        return [update for update in self.updates.values() if not update.needs]

    def usable(self, roots: Iterable[Node], stops: Collection[Node] = ()) -> set[Node]:
        """Return what later stages can use of what `roots` are computed from: arrays of their own, and numbers."""
        return {node for node in toposort(roots, stops=stops) if node not in stops and self._is_usable(node)}

    def used(self, update: Update, computed: Collection[Node]) -> list[Node]:
        """Return what the stage of an update uses of what is computed before."""
        stops = {*computed, *self.early} - {update.new}
        return [node for node in toposort(update.operands, stops=stops) if node in stops and node not in self.early]

    def _is_usable(self, node: Node) -> bool:
        number = not node.operands or node.is_weak or node not in self._computed
        return not number and not self.memory[node] and not isinstance(node, Named)

    def _candidates(self) -> dict[Node, Variable]:
        """Return the new values that nothing but other new values needs."""
        found = list(self.new.values())
        return {
            node: x
            for x, node in self.new.items()
            if node.operands and node not in self._inside and found.count(node) == 1 and self._is_below(node)
        }

    def _is_below(self, node: Node) -> bool:
        return any(node in below for below in self._below.values())

    def _updates(self) -> dict[Variable, Update]:
        made: dict[Variable, Update] = {}
        for x, node in self.new.items():
            shared = node in self._inside or self._is_below(node) or list(self.new.values()).count(node) > 1
            steps = update_steps(x, node, shared and node not in self.early)
            update = made[x] = Update(x, node, [self._subtracted(x, step) for step in steps])
            reached = toposort(update.operands, stops=self.early.keys() - {node})
            update.needs = {self.early[other] for other in reached if other in self.early and other is not node}
        roots = [node for update in made.values() if not update.needs for node in update.operands]
        computed = self.usable([*self.outputs, *roots])
        for update in made.values():
            if update.needs:
                reached = toposort(update.operands, stops={*computed, *self.early} - {update.new})
                update.reads = {x for x in self.new if x in reached and x is not update.target}
        return made

    def _subtracted(self, x: Variable, step: Step) -> Step:
        """Subtract what has a minus, unless it is needed with it."""
        others = [below for other, below in self._below.items() if other is not x]
        needed = any(step.operand in nodes for nodes in (self._inside, *others))
        return step if needed else step.without_sign()

    def _stuck(self) -> set[Variable]:
        """Return the variables that cannot be written in any order, if the first stage reads everything in time."""
        waiting = dict(self.updates)
        while waiting:
            late = [update for update in waiting.values() if update.needs]
            free = [x for x, update in waiting.items() if update.is_free(waiting, late)]
            if not free:
                return set(waiting)
            for x in free:
                del waiting[x]
        return set()
