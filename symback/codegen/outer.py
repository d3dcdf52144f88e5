"""Outer products of several arrays, ordered and spelled so that whole blocks of memory are repeated at a time.

M[i, k] x[j] x[l], the Hessian of a layer by its weights, is x[j] T[i, k, l] with T = M[i, k] x[l]: NumPy then writes
n^2 entries in one inner loop, where M[i, k] S[j, l] has inner loops of n. That takes half of the time.
"""

from collections.abc import Sequence

from symback.nodes.classify import Product
from symback.nodes.contract import Labels, contract
from symback.nodes.node import Node

Term = tuple[Node, Labels]


def is_outer(tensors: Sequence[Term], out: Labels) -> bool:
    """Does each axis of operands belong to the result, and to no other operand?"""
    labels = [label for _, own in tensors for label in own]
    return len(set(labels)) == len(labels) and set(labels) <= set(out)


def in_blocks(scalars: Sequence[Term], tensors: Sequence[Term], out: Labels) -> list[Term]:
    """Multiply operands until two are left, the first of them with the outermost axes, and all numbers."""
    first, *rest = sorted(tensors, key=lambda term: max(map(out.index, term[1])))
    block, axes = rest.pop()
    for core, labels in reversed(rest):
        wider = tuple(label for label in out if label in (*labels, *axes))
        block, axes = contract([(core, labels), (block, axes)], wider), wider
    return [(contract([*scalars, first], first[1]), first[1]), (block, axes)]


def repeats_blocks(p: Product) -> bool:
    """Is this an outer product of two arrays, of which one has several of the last axes?

    NumPy writes those with einsum in two thirds of the time that broadcasting takes.
    """
    if p.kind != "hadamard" or len(p.cores) != 2 or p.ones or any(core.dtype != p.dtype for core, _ in p.cores):
        return False
    (_, a), (_, b) = p.cores
    apart = sorted((*a, *b)) == sorted(p.out)
    return apart and p.dtype.kind == "f" and bool(a and b) and any(set(p.out[-2:]) <= set(own) for own in (a, b))
