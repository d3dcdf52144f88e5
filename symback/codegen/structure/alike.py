"""Arrays that are zero in the same places: what stands in these, and their sum."""

from collections.abc import Sequence
from typing import Any

from symback.nodes.add import add
from symback.nodes.apply import Apply
from symback.nodes.classify import is_diagonal
from symback.nodes.contract import Contract, Labels, contract
from symback.nodes.leaves import exact, ones_of
from symback.nodes.node import METHODS, Node
from symback.nodes.shapes import Shape


def place_of(term: Node) -> Any:
    """Return what tells where an array is not zero: its diagonal, or the part of it; the array itself if unknown."""
    if isinstance(term, Contract) and is_diagonal(term):
        out = term.parts().out
        return tuple(map(out.index, out)), term.shape, term.dtype
    if isinstance(term, Apply) and term.operation.name == "unslice":
        return term.operation.parameters, term.dtype
    return term


def one_diagonal(terms: Sequence[Contract]) -> Node:
    """Add diagonals of one kind; an axis of theirs that all only repeat is repeated in the end."""
    sums, covered = [], set()
    first = terms[0]
    for term in terms:
        distinct = tuple(dict.fromkeys(term.parts().out))
        covered |= {distinct.index(label) for _, labels in term.parts().cores for label in labels if label in distinct}
    for term in terms:
        distinct = tuple(dict.fromkeys(term.parts().out))
        sums.append(put_together(term, term.parts().cores, tuple(distinct[k] for k in sorted(covered))))
    distinct = tuple(dict.fromkeys(first.parts().out))
    return put_together(
        first, [(add(*sums), tuple(distinct[k] for k in sorted(covered)))], first.parts().out, scaled=False
    )


def entries_of(diagonal: Node) -> Node:
    """Return what stands on a diagonal, with an axis for each of its labels."""
    assert isinstance(diagonal, Contract)
    parts = diagonal.parts()
    return put_together(diagonal, parts.cores, tuple(dict.fromkeys(parts.out)))


def put_together(
    node: Contract,
    cores: Sequence[tuple[Node, Labels]],
    out: Labels,
    opened: dict[int, tuple[Labels, Shape]] | None = None,
    *,
    scaled: bool = True,
) -> Node:
    """Return the product of other operands with the coefficient, the ones and the dtype of `node`."""
    parts = node.parts()
    sizes = node.label_sizes()
    for labels, shape in (opened or {}).values():
        sizes.update(zip(labels, shape, strict=True))
    terms = list(cores)
    if parts.coefficient != 1 and scaled:
        terms.insert(0, (exact(parts.coefficient), ()))
    covered = {label for _, labels in cores for label in labels}
    spread = tuple(label for label in dict.fromkeys(out) if label not in covered)
    if spread or not cores:
        terms.append((ones_of(tuple(sizes[label] for label in spread), node.dtype), spread))
    made = contract(terms, out)
    return made if made.dtype == node.dtype else METHODS["astype"](made, node.dtype)
