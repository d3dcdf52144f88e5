"""What a random graph is held to: code, gradient, Hessian, derivation, pickling; each gives a word or a finding.

The references are graphs evaluated in 60 digits, and differences of those. Where a rule excludes a comparison, the word
says which, so that a run prints how often.
"""

import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import symback as sb
from symback.errors import SymbackError
from symback.graph import toposort
from symback.nodes.apply import Map
from symback.nodes.leaves import variable

from .code import code, emitted_agrees
from .digits import Excluded, all_finite
from .graphs import Graph
from .slopes import gradient, hessian, hessian_product
from .subject import Subject, Wrong


def derivation(subject: Subject) -> None:
    """Every line of the derivation holds, or symback says why there is none."""
    graph = subject.graph
    used = set(toposort([graph.loss]))
    wrt = [x for x in graph.wrt if x in used]
    if not wrt:
        raise Excluded("no variable")
    if not subject.is_finite:
        raise Excluded("not finite")
    if any(isinstance(n, Map) and n.operation.name == "where" and n.operands[0].dtype.kind == "f" for n in used):
        raise Excluded("where with a condition that is a number")  # it is 0 on a set that no point of a proof meets
    try:
        report = sb.derive(graph.loss, wrt).verify()
    except SymbackError as refusal:
        raise Excluded(f"refused: {type(refusal).__name__}: {str(refusal).split(':')[0][:40]}") from None
    failed = [line for line in report.lines if line.status == "FAILED"]
    if failed:
        raise Wrong(f"{failed[0]}\n{failed[0].shown} {failed[0].reason}")


def storing(subject: Subject) -> None:
    """Pickled, and written as text, the graph comes back as the very node, and its code with the same text."""
    roots = [subject.graph.loss, *subject.gradients]
    text = sb.dumps(roots)
    for found in (pickle.loads(pickle.dumps(roots)), sb.loads(text)):
        if not all(one is other for one, other in zip(found, roots, strict=True)):
            raise Wrong("another node comes back")
    if sb.dumps(sb.loads(text)) != text:
        raise Wrong("another text is written")


def stored_code(subject: Subject) -> None:
    """A function that was pickled has the same text, and code that is emitted again too."""
    inputs, roots = subject.graph.variables, [subject.graph.loss, *subject.gradients]
    function = sb.lambdify(inputs, roots)
    loaded = pickle.loads(pickle.dumps(function))
    if not loaded.source == function.source == sb.lambdify(inputs, sb.loads(sb.dumps(roots))).source:
        raise Wrong("another text")


def second_code(subject: Subject) -> None:
    """Emitted code of the Hessian times a vector gives what the digits say."""
    graph = subject.graph
    if not graph.wrt or not all_finite(subject.digits[g] for g in subject.gradients):
        raise Excluded("infinite slope")
    vectors = [variable(f"along_{x.name}", x.shape, x.dtype) for x in graph.wrt]
    products = list(sb.hvp(graph.loss, graph.wrt, vectors, disconnected="zero"))
    along = {
        u: np.asarray(subject.direction[x]).astype(float).astype(x.dtype)
        for u, x in zip(vectors, graph.wrt, strict=True)
    }
    emitted_agrees(subject, [*graph.variables, *vectors], {**graph.point, **along}, products, "readable")


CHECKS: dict[str, tuple[float, Callable[[Subject], Any]]] = {
    "readable code": (0.6, lambda subject: code(subject, "readable")),
    "fast code": (0.4, lambda subject: code(subject, "fast")),
    "gradient": (1.0, gradient),
    "Hessian times vector": (0.25, hessian_product),
    "Hessian": (0.08, hessian),
    "code of second order": (0.08, second_code),
    "derivation": (0.04, derivation),
    "pickling": (0.5, storing),
    "code of a loaded graph": (0.05, stored_code),
}
"""The checks, and of how many of the examples each is made."""


class Outcome(NamedTuple):
    """The result of one check: ``"passed"``, ``"found"``, or the rule that excludes it."""

    check: str
    word: str
    detail: str = ""


def examine(graph: Graph, seed: int, only: Sequence[str] = ()) -> Iterator[Outcome]:
    """Yield the outcome of the checks that the seed chooses, or of all that are named."""
    subject, chance = Subject(graph, seed), random.Random(seed + 1)
    for name, (weight, check) in CHECKS.items():
        chosen = chance.random() < weight if not only else name in only
        if chosen:
            yield _outcome(name, check, subject)


def _outcome(name: str, check: Callable[[Subject], Any], subject: Subject) -> Outcome:
    try:
        check(subject)
    except Excluded as rule:
        return Outcome(name, str(rule))
    except Wrong as found:
        return Outcome(name, "found", str(found))
    except Exception as error:  # an error that is not symback's is a bug, and so is a refusal of what was built
        return Outcome(name, "found", f"{type(error).__name__}: {error}")
    return Outcome(name, "passed")
