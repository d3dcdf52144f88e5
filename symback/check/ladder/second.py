"""Second derivatives as first ones: the gradient along a random direction is a loss, and its gradient is checked.

The product of the Hessian with a direction is the gradient of <g, u>, by reverse mode over reverse mode. A random u
sees every entry: each block of the Hessian, by a pair of variables, is a subject of any method.
"""

from dataclasses import replace

from symback.check.ladder.graph import Calculus, Graph, along, subject_of
from symback.check.ladder.subject import Subject


def blocks_of(graph: Graph, seed: int) -> list[Subject]:
    """Return the blocks of the Hessian as subjects, each named by the two variables."""
    calculus = graph.calculus
    assert calculus is not None
    return [subject for position in range(len(graph.wrt)) for subject in _blocks(graph, calculus, position, seed)]


def _blocks(graph: Graph, calculus: Calculus, position: int, seed: int) -> list[Subject]:
    slope, direction, value = along(graph, position, "along", seed)
    products = calculus.grad(slope, graph.wrt)
    sloped = Graph(slope, graph.wrt, products, {**graph.point, direction: value}, calculus, graph.stops)
    first = graph.wrt[position].short()
    subjects = (subject_of(sloped, other, None) for other in range(len(graph.wrt)))
    return [replace(subject, name=f"{first}, {subject.name}") for subject in subjects]
