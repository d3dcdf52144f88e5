"""Functions that update arguments in place: all results and new values are those of the old values.

What only a new value needs is computed in the array that it is written to (``v *= 0.9``, ``v += d_W``), and a new
value that others need is read from there (``W -= eta * v``). Where no order of writing does, as in a swap, new values
are put aside first.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from symback.codegen.source.naming import Names, suggestion
from symback.codegen.source.text import Text
from symback.codegen.speller import as_numpy
from symback.codegen.updating.plan import NewValues, Plan, Update
from symback.codegen.updating.views import memory_of
from symback.graph import replaced, toposort
from symback.nodes.apply import unnamed
from symback.nodes.leaves import Variable, variable
from symback.nodes.node import Node

_WORDS = re.compile(r"[^\W\d]\w*")


class Scope(NamedTuple):
    """What the builders of one function share.

    Attributes:
        build: Makes a builder.
        returned: Writes what a builder holds of results as it is returned.
        names: Hands out names.
        arguments: The name of each argument.
        sizes: The name of each symbolic size.
    """

    build: Callable[..., Any]
    returned: Callable[[Sequence[Node], Any], list[str]]
    names: Names
    arguments: dict[Node, str]
    sizes: dict[str, str]

    def builder(self, nodes: Sequence[Node], known: Mapping[Node, str], inner: Collection[Node]) -> Any:
        """Write the statements for nodes, of which the `inner` ones do not leave the function."""
        return self.build(nodes, toposort(nodes), self.names, {**self.arguments, **known}, self.sizes, inner)

    @property
    def is_fast(self) -> bool:
        """Do the builders have the option to keep memory between calls?"""
        return isinstance(self.build, partial)

    def without_memory(self) -> "Scope":
        """Return a scope whose builders keep no memory between calls: one builder of a function does."""
        return self._replace(build=partial(self.build, reuse_buffers=False)) if self.is_fast else self


def write_program(scope: Scope, outputs: Sequence[Node], updates: NewValues) -> tuple[Any, list[str]]:
    """Write a program that computes `outputs`, and then writes new values, if there are any.

    Returns:
        The builder that holds the program, and the texts of the results.
    """
    if not updates.targets:
        builder = scope.builder(outputs, {}, ())
        return builder, scope.returned(outputs, builder)
    new = dict(zip(updates.targets, updates.values, strict=True))
    plan = Plan(outputs, new, memory_of(toposort([*outputs, *new, *updates.values])))
    writer = _Writer(scope, plan, () if scope.is_fast else updates.named)
    writer.write()
    return writer.builder, writer.results


class _Writer:
    """Writes the stages of a plan.

    Attributes:
        builder: Holds the program.
        results: The texts of the results.
    """

    def __init__(self, scope: Scope, plan: Plan, named: Collection[Node]) -> None:
        self._scope, self._plan, self._memory = scope, plan, plan.memory
        self._stand_ins = Names(node.name for node in plan.memory if isinstance(node, Variable))
        self._known: dict[Node, Variable] = {}
        self._names: dict[Node, str] = {}
        self._late = [update for update in plan.updates.values() if update.needs]
        operands = [node for update in plan.first for node in update.operands]
        used = self._used_later(plan.usable([*plan.outputs, *operands]), self._late)
        here = set(toposort([*plan.outputs, *operands, *used]))
        inner = [*operands, *used, *(node for node in named if node in here)]
        self.builder = scope.builder([*plan.outputs, *inner], {}, set(inner) - set(plan.outputs))
        found = self.builder.program.results
        self.builder.program.results = found[: len(plan.outputs)]
        self._lines = self.builder.program.lines
        self.results = self._evaluated_before(scope.returned(plan.outputs, self.builder))
        texts = dict(zip(inner, found[len(plan.outputs) :], strict=True))
        for update in plan.first:
            update.texts = [texts[node] for node in update.operands]
            update.reads = self._reads(self.builder, update.texts) - {update.target}
        self._pass_on(self.builder, {node: texts[node] for node in used})

    def write(self) -> None:
        """Write the new values one after the other."""
        waiting = dict(self._plan.updates)
        while waiting:
            update = next((u for u in waiting.values() if u.is_free(waiting, waiting.values())), None)
            if update is None:
                self._put_aside(next(u for u in waiting.values() if u.reads and not u.needs))
                continue
            del waiting[update.target]
            stage = self._stage(update) if update.needs else self.builder
            for place, text in enumerate(update.texts[1:], 1):
                if update.target in self._reads(stage, [text]):
                    update.texts[place] = self._aside(update, place)
            name = self._scope.arguments[update.target]
            self._lines += [step.written(name, text) for step, text in zip(update.steps, update.texts, strict=True)]

    # -- what must be known before anything is written ----------------------------------------------------

    def _evaluated_before(self, texts: list[str]) -> list[str]:
        """Give the results that read what is overwritten a name."""
        known = self.builder.held()[0]
        for place, (node, text) in enumerate(zip(self._plan.outputs, texts, strict=True)):
            if self._reads(self.builder, [Text(text)]):
                bare = unnamed(node)
                wanted = f"old_{bare.name}" if isinstance(bare, Variable) else suggestion(bare, dict(known))
                texts[place] = self._bound(wanted, text if "(" in text else self._own(node, Text(text)))
        return texts

    def _put_aside(self, update: Update) -> None:
        """Compute what an update reads of other variables, so that they can be overwritten."""
        for place, text in enumerate(update.texts):
            if self._reads(self.builder, [text]) - {update.target}:
                update.texts[place] = self._aside(update, place)
        update.reads = set()

    def _aside(self, update: Update, place: int) -> Text:
        step, target = update.steps[place], self._scope.arguments[update.target]
        wanted = f"{target}_term" if step.sign else f"new_{target}"
        return Text(self._bound(wanted, self._own(step.operand, update.texts[place])))

    def _own(self, node: Node, text: Text) -> str:
        """Write a value that stays what it is when arguments are overwritten."""
        if not self._memory.get(node):
            return text.signed()
        return f"np.array({text.signed()})" if node.shape else as_numpy(node, text).signed()

    def _bound(self, wanted: str, text: str) -> str:
        name = self._scope.names.claim(wanted)
        self._lines.append(f"{name} = {text}")
        return name

    def _reads(self, builder: Any, texts: Sequence[Text]) -> set[Variable]:
        """Return the variables whose memory these texts read, among those that are overwritten."""
        words = {word for text in texts for word in _WORDS.findall(text.text)}
        nodes = [node for node, name in builder.held()[0].items() if name in words]
        missing = [node for node in nodes if node not in self._memory]
        self._memory |= memory_of(toposort(missing))
        return {x for node in nodes for x in self._memory[node] if x in self._plan.new}

    # -- stages ---------------------------------------------------------------------------------------------

    def _stage(self, update: Update) -> Any:
        """Write the statements of a stage of its own."""
        self._late.remove(update)
        stops = {*self._known, *self._plan.early} - {update.new}
        used = self._used_later(self._plan.usable(update.operands, stops) - {update.new}, self._late)
        for node, x in self._plan.early.items():
            if x in update.needs and node not in self._known:
                self._stand_in(node, self._scope.arguments[x])
        roots = [*update.operands, *used]
        given: dict[Node, Node] = {node: x for node, x in self._known.items() if node is not update.new}
        new = replaced(roots, given)
        nodes = [new[root] for root in roots]
        stage = self._scope.without_memory().builder(nodes, self._names, set(nodes))
        texts = dict(zip(roots, stage.program.results, strict=True))
        self._lines += stage.program.lines
        _merge(self.builder, stage)
        update.texts = [texts[node] for node in update.operands]
        self._pass_on(stage, {node: texts[node] for node in used})
        return stage

    def _used_later(self, computed: set[Node], later: Sequence[Update]) -> list[Node]:
        """Return what later stages use of what one computes."""
        found = [node for update in later for node in self._plan.used(update, computed | self._known.keys())]
        return [node for node in dict.fromkeys(found) if node not in self._known]

    def _pass_on(self, builder: Any, texts: Mapping[Node, Text]) -> None:
        """Have values found under names by the stages that follow."""
        for node, text in texts.items():
            named = text.text.isidentifier() and not text.negative
            self._stand_in(
                node, text.text if named else self._bound(suggestion(node, dict(builder.held()[0])), text.signed())
            )

    def _stand_in(self, node: Node, name: str) -> None:
        """Let a variable stand for a value that is found under a name."""
        proxy = self._known[node] = variable(self._stand_ins.claim("value"), node.shape, node.dtype)
        self._names[proxy] = name


def _merge(builder: Any, stage: Any) -> None:
    """Have the module hold what a stage needs."""
    builder.program.helpers |= stage.program.helpers
    builder.program.constants |= stage.program.constants
    builder.program.sizes |= stage.program.sizes
    builder.program.imports |= stage.program.imports
    builder.program.functions |= stage.program.functions
