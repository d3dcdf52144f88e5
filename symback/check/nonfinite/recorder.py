"""Follows non-finite values through a function that is watched, from where they are made to its results."""

import threading
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import numpy as np

from symback.check.nonfinite import events
from symback.check.nonfinite.finding import Watched
from symback.check.nonfinite.marking import NAME, OPERATION, PASSING, Site
from symback.check.nonfinite.memory import Memory
from symback.check.nonfinite.report import Origin
from symback.check.nonfinite.values import Array, broken, is_finite, is_number, leaves

_ITERATORS = (zip, map, enumerate, filter, reversed)
_UNFILLED = (np.empty, np.empty_like)
_MOST_OPERANDS = 12
Pair = tuple[str, Any]


class Recorder:
    """Everything that is known of one run: where non-finite values are, and where each comes from."""

    def __init__(self, step_in: Callable[[Any, Watched], Any]) -> None:
        self.memory: Memory = Memory()
        self.origins: list[Origin] = []
        self.inputs: dict[str, Array] | None = None
        self.born: dict[tuple[int, int, str], Origin] = {}
        self.flags: set[str] = set()
        self.step_in = step_in
        self.codes: set[CodeType] = set()
        self.thread = threading.get_ident()

    def signal(self, what: str, _: int) -> None:
        """Take note of what NumPy signals."""
        self.flags.add(what)

    def enter(self, watched: Watched, arguments: dict[str, Any]) -> "Frame":
        """Begin a call of a function that is watched."""
        self.note_inputs(arguments)
        return Frame(self, watched)

    def note_inputs(self, arguments: dict[str, Any]) -> None:
        """Note, once, which arrays the arguments are, and which of them are not finite."""
        if self.inputs is not None:
            return
        pairs = [(f"{name}{label}", leaf) for name, value in arguments.items() for label, leaf in leaves(value)]
        self.inputs = {name: leaf for name, leaf in pairs if isinstance(leaf, np.ndarray)}
        for name, leaf in pairs:
            if not is_finite(leaf) and not self.memory.of(leaf):
                self.given(leaf, "input", name)

    def given(self, leaf: Any, kind: str, name: str, **more: Any) -> Origin:
        """Enter a value that was not finite before any operation that is watched."""
        origin = events.made_by(kind, name, leaf, **more)
        self.origins.append(origin)
        self.memory.remember(leaf, [origin])
        return origin

    def origins_of(self, value: Any) -> list[Origin]:
        """Return what the non-finite entries of a value go back to, as far as it is known."""
        found: list[Origin] = []
        for _, leaf in broken(value):
            found += [origin for origin in self.memory.of(leaf) if origin not in found]
        return found


class Frame:
    """A call of a function that is watched: the values of its sub-expressions, the last ones only."""

    def __init__(self, recorder: Recorder, watched: Watched) -> None:
        self._recorder, self.watched = recorder, watched
        self.values: list[Any] = [None] * len(watched.sites)
        self._called: dict[int, Any] = {}
        self._originals: dict[int, Array] = {}

    # -- what the marked code calls ---------------------------------------------------------------

    def see(self, number: int, value: Any = None) -> Any:
        """Take note of the value of a site, and return it."""
        site = self.watched.sites[number]
        if threading.get_ident() != self._recorder.thread:
            return value
        if site.kind == NAME:
            self.values[number] = value
            return value
        if isinstance(value, _ITERATORS):
            return self.each(number, value)
        self.values[number] = value
        self._judge(number, site, value)
        return value

    def enter(self, number: int, function: Any) -> Any:
        """Take note of what is about to be called, and return it, watched if it is the user's own."""
        self._called[number] = function
        return self._recorder.step_in(function, self.watched)

    def out(self, number: int, array: Any) -> Any:
        """Copy operands that share memory with what is written to: they are gone afterwards."""
        targets = [leaf for _, leaf in leaves(array) if isinstance(leaf, np.ndarray)]
        for operand in self.watched.sites[number].operands:
            value = self.values[operand]
            if isinstance(value, np.ndarray) and any(np.may_share_memory(value, target) for target in targets):
                self._keep(operand, value)
        for target in targets:
            self._recorder.memory.forget(target)
        return array

    def before(self, number: int, target: Any, value: Any) -> Any:
        """Copy what is about to be changed in place."""
        self.values[number] = target
        if isinstance(target, np.ndarray):
            self._keep(number, target)
            self._recorder.memory.forget(target)
        return value

    def each(self, number: int, iterable: Any) -> Iterator[Any]:
        """Yield items; what is not finite in them comes from where the iterable comes."""
        seen: list[Any] = []
        self.values[number] = seen
        for item in iterable:
            found = broken(item)
            unknown = [leaf for _, leaf in found if not self._recorder.memory.of(leaf)]
            if unknown:
                origins = self._within(number) or self._unknown(number, unknown[0])
                for leaf in unknown:
                    self._recorder.memory.remember(leaf, origins)
            seen += [leaf for _, leaf in found]
            yield item

    def stored(self, number: int, array: Any, part: Any) -> None:
        """Look at entries that have been assigned."""
        if not isinstance(array, np.ndarray) or not is_number(part) or is_finite(part):
            return
        memory = self._recorder.memory
        origins = self._within(number) or [self._born(number, part, set())]
        view = isinstance(part, np.ndarray) and np.may_share_memory(part, array)
        known = [] if view else [origin for origin in memory.of(array) if origin not in origins]
        memory.remember(part if view else array, origins + known)

    def unpacked(self, number: int, value: Any) -> None:
        """Let a part of a value that is taken apart come from where the whole comes."""
        if threading.get_ident() != self._recorder.thread:
            return
        memory = self._recorder.memory
        for _, leaf in broken(value):
            if not memory.of(leaf):
                memory.remember(leaf, self._within(number))

    # -- what follows from it -----------------------------------------------------------------------

    def _judge(self, number: int, site: Site, value: Any) -> None:
        recorder = self._recorder
        flags, recorder.flags = recorder.flags, set()
        found = broken(value)
        if value is None and site.kind == OPERATION:  # a procedure: what it has changed is among its operands
            pairs = [pair for j in site.operands for pair in broken(self.values[j])]
            found = [pair for pair in pairs if not recorder.memory.is_known(pair[1])]
        if not found:
            self._finite(number, site, value)
            return
        unknown = [leaf for _, leaf in found if not recorder.memory.is_known(leaf)]
        if not unknown:
            return
        if site.kind == PASSING:
            origins = self._within(number) or self._unknown(number, unknown[0])
        elif self._called.get(number) in _UNFILLED:
            event = events.event_at(self.watched, site)
            origins = [recorder.given(unknown[0], "uninitialised", site.targets or event.text, event=event)]
        else:
            origins = self._made(number, site, unknown, flags)
        for leaf in unknown:
            recorder.memory.remember(leaf, origins)

    def _finite(self, number: int, site: Site, value: Any) -> None:
        """Note what is finite again, and which operation did not take what was not."""
        recorder = self._recorder
        if not recorder.memory:
            return
        if isinstance(value, np.ndarray):
            recorder.memory.forget(value)
        if site.kind == OPERATION and next(leaves(value), None):
            for operand in site.operands:
                for origin in recorder.origins_of(self.values[operand]):
                    origin.dropped = origin.dropped or events.event_at(self.watched, site)

    def _made(self, number: int, site: Site, found: list[Any], flags: set[str]) -> list[Origin]:
        """Return what the result of an operation goes back to: its operands, or itself."""
        written = [leaf for leaf in found if isinstance(leaf, np.ndarray)]
        bad = [j for j in site.operands if any(not _is_in(leaf, written) for _, leaf in broken(self.values[j]))]
        if not bad:
            return [self._born(number, found[0], flags)]
        origins = [origin for j in bad for origin in self._origins(j)]
        origins = list(dict.fromkeys(origins))
        self._note_nan(site, found, bad, origins)
        if events.is_entrywise(site, self._called.get(number)) and not site.out:
            fresh = events.new_entries(found[0], [self.values[j] for j in site.operands])
            if fresh.any():
                origins.append(self._born(number, found[0], flags, where=fresh))
        return origins

    def _note_nan(self, site: Site, found: list[Any], bad: list[int], origins: list[Origin]) -> None:
        """Note where NaN is made of infinities."""
        before = any(np.isnan(leaf).any() for j in bad for _, leaf in broken(self.values[j]))
        if not before and any(np.isnan(leaf).any() for leaf in found):
            for origin in origins:
                origin.became_nan = origin.became_nan or events.event_at(self.watched, site)

    def _born(self, number: int, value: Any, flags: set[str], where: Any = True) -> Origin:
        """Enter a non-finite value that was made of finite ones."""
        recorder, site, function = self._recorder, self.watched.sites[number], self._called.get(number)
        values = [self.values[j] for j in site.operands]
        event = events.event_at(self.watched, site)
        kind = events.kind_of(value, where, site, function, values, flags)
        known = recorder.born.get((id(self.watched), number, kind))
        if known is not None:
            known.times += 1
            return known
        origin = events.made_by(kind, site.targets or event.text, value, event=event, where=where)
        recorder.born[id(self.watched), number, kind] = origin
        index = origin.index if events.is_entrywise(site, function) else None
        shown: dict[str, Any] = {}
        for j in site.operands:
            text = events.text_at(self.watched, self.watched.sites[j].node)
            for label, leaf in leaves(self.values[j]):
                if isinstance(value, np.ndarray) and np.may_share_memory(leaf, value):
                    continue  # it has been written to, what it was is gone
                place = self._originals.get(j, leaf)
                shown[text + label] = events.described(text + label, leaf, index, recorder.inputs or {}, place)
        origin.operands = tuple(list(shown.values())[:_MOST_OPERANDS])
        recorder.origins.append(origin)
        return origin

    # -- where operands come from ----------------------------------------------------------------------

    def _origins(self, number: int) -> list[Origin]:
        """Return what the value of a site goes back to."""
        memory = self._recorder.memory
        found: list[Origin] = []
        for _, leaf in broken(self.values[number]):
            if not memory.of(leaf):
                memory.remember(leaf, self._within(number) or self._unknown(number, leaf))
            found += memory.of(leaf)
        return list(dict.fromkeys(found))

    def _within(self, number: int) -> list[Origin]:
        """Return what the operands of a site go back to."""
        found = [origin for j in self.watched.sites[number].operands for origin in self._origins(j)]
        return list(dict.fromkeys(found))

    def _unknown(self, number: int, leaf: Any) -> list[Origin]:
        """Enter a value that nothing is known of: a global one, or a literal."""
        event = events.event_at(self.watched, self.watched.sites[number])
        return [self._recorder.given(leaf, "constant", event.text, event=event)]

    def _keep(self, number: int, array: Array) -> None:
        """Put a copy in the place of an operand that will be written to."""
        copy = array.copy()
        self.values[number], self._originals[number] = copy, array
        if not is_finite(copy):
            self._recorder.memory.remember(copy, self._recorder.memory.of(array))


def _is_in(leaf: Any, written: list[Array]) -> bool:
    """Whether an operand is one of the arrays that have been written to."""
    return any(leaf is array for array in written)
