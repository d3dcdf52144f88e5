r"""Update rules as expressions: what takes the place of each parameter in one step of training.

A rule is a dict from variables to nodes: each parameter with its new value, and each variable that the optimizer
remembers something in. `sb.lambdify(..., updates=rule)` writes the new values in place of the old ones.

========== ==================================================================== =================================
rule       new values; g is the gradient of the loss by W                        variables that it remembers
========== ==================================================================== =================================
`sgd`      W - η g                                                               none
`momentum` v' = μ v + g, W - η v' (nesterov: W - η (g + μ v'))                    ``v_W``
`adam`     m' = β₁ m + (1 - β₁) g, v' = β₂ v + (1 - β₂) g², W - η m̂ / (√v̂ + ε)    ``m_W``, ``v_W``, ``step_count``
========== ==================================================================== =================================
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from symback import errors
from symback.check.binding import Bindings, bound_shape, read_sizes, resolve
from symback.derive.stable import grad
from symback.errors import training as messages
from symback.graph import toposort
from symback.latex.printer import look_of
from symback.latex.update import update_latex
from symback.nodes.apply import Named
from symback.nodes.labels import Label
from symback.nodes.leaves import Variable, as_node, variable
from symback.nodes.node import Node
from symback.ops.creation.filling import let
from symback.ops.elementwise.powers import sqrt
from symback.optim.given import as_dtype_of, constant_of, one_minus, parameter_of, parameters_of
from symback.structure import Nested, leaves_of

__all__ = ["Updates", "adam", "momentum", "sgd"]


class Updates(dict[Variable, Node]):
    """New values by variable: those of parameters, and those of what an optimizer remembers.

    Args:
        rules: For each variable its new value, of its shape and dtype.
        parameters: The variables that are trained; by default all. The others are the state, which starts from zeros.
        printed: What `latex` prints, by default the rules: the same values in the form of a textbook.

    Attributes:
        parameters: The variables that are trained.

    Example:
        >>> import symback as sb
        >>> w, x = sb.tensor("w", ("n",)), sb.tensor("x", ("n",))
        >>> rule = sb.optim.Updates({w: w - 0.1 * sb.grad((w @ x) ** 2, w)})
        >>> rule
        w <- w - 0.1*d_w
    """

    def __init__(
        self,
        rules: Mapping[Variable, Node],
        *,
        parameters: Sequence[Variable] | None = None,
        printed: Mapping[Variable, Node] | None = None,
    ) -> None:
        super().__init__(rules)
        self.parameters = list(rules if parameters is None else parameters)
        self._printed = dict(rules if printed is None else printed)

    @property
    def state(self) -> list[Variable]:
        """The variables that the optimizer remembers something in from one step to the next."""
        trained = set(self.parameters)
        return [variable for variable in self if variable not in trained]

    def initial(self, values: Bindings) -> dict[str, np.ndarray[Any, Any]]:
        """Return zeros for the state, by name, of the shapes and dtypes that it must have.

        Args:
            values: The parameters at the start, by variable or by name: their shapes are what is read.

        Raises:
            InputError: If a parameter has no value.
            ShapeError: If the shapes of the values do not fit the parameters.

        Example:
            >>> import numpy as np, symback as sb
            >>> w = sb.tensor("w", ("n",))
            >>> sb.optim.momentum(sb.sum(w**2), w).initial({"w": np.ones(2)})
            {'v_w': array([0., 0.])}
        """
        sizes = read_sizes("initial", resolve("initial", self.parameters, values))
        return {x.name: np.zeros(bound_shape("initial", x.shape, sizes), x.dtype) for x in self.state}

    def latex(self) -> str:
        r"""Return the rule in LaTeX, a line for each variable, in an order in which it can be read from the top.

        Example:
            >>> import symback as sb
            >>> W, x, eta = sb.tensor("W", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("eta")
            >>> print(sb.optim.sgd(sb.sum(sb.tanh(W @ x)), W, eta).latex())
            W \leftarrow W - \eta \cdot \frac{\partial \mathcal{L}}{\partial W}
        """
        return update_latex(self._printed)

    def __repr__(self) -> str:
        return "\n".join(line for x, node in self.items() for line in _assignment(x.name, node))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def sgd(loss: Any, params: Nested = None, learning_rate: Any = 0.1) -> Updates:
    r"""Return a step of gradient descent: ``W - η g``.

    Robbins and Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22 (1951).

    Args:
        loss: A scalar node; or a dict from parameters to their gradients, for gradients that were clipped, say.
        params: The variables to train: one, or a list, tuple or dict of them. With a dict of gradients, None for all.
        learning_rate: A number, or a node of shape (), such as a variable that each call gets.

    Raises:
        DerivativeError: If the loss is no scalar, or does not depend on a parameter.
        InputError: If a parameter is listed twice, or the rate is no finite number.

    Example:
        >>> import symback as sb
        >>> w, x, eta = sb.tensor("w", ("n",)), sb.tensor("x", ("n",)), sb.tensor("eta")
        >>> sb.optim.sgd((w @ x) ** 2, w, eta)
        w <- w - eta*d_w
    """
    gradients = _gradients("sgd", loss, params)
    rate = constant_of("sgd", "learning_rate", learning_rate)
    rules = {w: w - as_dtype_of(rate, w) * g for w, g in gradients.items()}
    return Updates(rules)


def momentum(
    loss: Any, params: Nested = None, learning_rate: Any = 0.1, momentum: Any = 0.9, *, nesterov: bool = False
) -> Updates:
    """Return a step of gradient descent with momentum: ``v' = μ v + g``, ``W - η v'``.

    Polyak, "Some methods of speeding up the convergence of iteration methods" (1964). The velocity is PyTorch's, a sum
    of gradients that the learning rate multiplies when it is used; at a constant rate, -η v is the velocity of
    Sutskever et al., "On the importance of initialization and momentum in deep learning" (ICML 2013).

    Args:
        loss: A scalar node, or a dict from parameters to their gradients. See `sgd`.
        params: The variables to train.
        learning_rate: A number, or a node of shape ().
        momentum: A number from 0 to below 1, or a node of shape ().
        nesterov: Step along ``g + μ v'`` instead of ``v'``: Nesterov (1983), as Sutskever et al. and PyTorch have it.

    Returns:
        The velocity of W is the variable ``v_W``, of its shape and dtype.

    Raises:
        InvalidNameError: If the graph has another variable of that name.

    Example:
        >>> import symback as sb
        >>> w, x = sb.tensor("w", ("n",)), sb.tensor("x", ("n",))
        >>> sb.optim.momentum((w @ x) ** 2, w, 0.1)
        v_w <- 0.9*v_w + d_w
        w <- w - 0.1*(0.9*v_w + d_w)
    """
    gradients = _gradients("momentum", loss, params)
    rate = constant_of("momentum", "learning_rate", learning_rate)
    decay = constant_of("momentum", "momentum", momentum, below=1)
    rules: dict[Variable, Node] = {}
    for w, g in gradients.items():
        velocity, mu = _state("v", w), as_dtype_of(decay, w)
        new = rules[velocity] = mu * velocity + g
        rules[w] = w - as_dtype_of(rate, w) * (g + mu * new if nesterov else new)
    return _updates("momentum", rules, gradients)


def adam(
    loss: Any, params: Nested = None, learning_rate: Any = 0.001, beta1: Any = 0.9, beta2: Any = 0.999,
    epsilon: Any = 1e-8,
) -> Updates:  # fmt: skip
    """Return a step of Adam: ``W - η m̂ / (√v̂ + ε)``, of means of g and g² whose bias is corrected.

    Kingma and Ba, "Adam: a method for stochastic optimization" (ICLR 2015): the values of Algorithm 1, in the order of
    section 2, where the corrections are numbers that multiply η and ε. Of a number, ``1 - beta2`` is the decimal 0.001.

    Args:
        loss: A scalar node, or a dict from parameters to their gradients. See `sgd`.
        params: The variables to train.
        learning_rate: A number, or a node of shape ().
        beta1: How slowly the mean of gradients moves: a number from 0 to below 1, or a node of shape ().
        beta2: How slowly the mean of their squares moves.
        epsilon: A number from 0, or a node of shape ().

    Returns:
        The means of W are the variables ``m_W`` and ``v_W``, of its shape and dtype; ``step_count``, an int64 of
        shape (), is how many steps were taken.

    Raises:
        InvalidNameError: If the graph has another variable of one of these names.

    Example:
        >>> import symback as sb
        >>> w, x = sb.tensor("w", ("n",)), sb.tensor("x", ("n",))
        >>> sb.optim.adam((w @ x) ** 2, w).state
        [step_count, m_w, v_w]
    """
    gradients = _gradients("adam", loss, params)
    rate = constant_of("adam", "learning_rate", learning_rate)
    small = constant_of("adam", "epsilon", epsilon, least=0)
    betas = constant_of("adam", "beta1", beta1, below=1), constant_of("adam", "beta2", beta2, below=1)
    return _adam(gradients, rate, betas, (one_minus(beta1), one_minus(beta2)), small)


def _adam(
    gradients: Mapping[Variable, Node], rate: Node, betas: Sequence[Node], rests: Sequence[Node], small: Node
) -> Updates:
    """Return the rule as it is computed, and as Algorithm 1 has it for print."""
    count = variable("step_count", (), "int64", latex="t")
    first, second = (as_node(1 - beta ** (count + 1)) for beta in betas)
    correction = _named("correction", sqrt(second))
    scale, offset = _named("rate", rate * correction / first), _named("offset", small * correction)
    rules: dict[Variable, Node] = {count: count + 1}
    printed = dict(rules)
    for w, g in gradients.items():
        own = partial(as_dtype_of, w=w)
        m, v = _state("m", w), _state("v", w)
        mean = rules[m] = printed[m] = own(betas[0]) * m + own(rests[0]) * g
        square = rules[v] = printed[v] = own(betas[1]) * v + own(rests[1]) * g**2
        rules[w] = w - own(scale) * mean / (sqrt(square) + own(offset))
        m_hat = let(f"m_hat_{w.name}", mean / own(first), latex=rf"\hat{{m}}_{{{look_of(w.label)}}}")
        v_hat = let(f"v_hat_{w.name}", square / own(second), latex=rf"\hat{{v}}_{{{look_of(w.label)}}}")
        printed[w] = w - own(rate) * m_hat / (sqrt(v_hat) + own(small))
    return _updates("adam", rules, gradients, printed)


def _gradients(operation: str, loss: Any, params: Nested) -> dict[Variable, Node]:
    """Return the gradient for each parameter, from a loss or from the gradients that are given."""
    if isinstance(loss, Mapping):
        given = {parameter_of(operation, key): as_node(value) for key, value in loss.items()}
        wanted = list(given) if params is None else parameters_of(operation, leaves_of(params))
        for missing in (w for w in wanted if w not in given):
            raise messages.missing_gradient(operation, missing.name)
        found = {w: given[w] for w in wanted}
    elif params is None:
        raise messages.loss_without_parameters(operation)
    else:
        if isinstance(loss, (list, tuple)):
            raise errors.not_one_node(operation, loss)
        node, wanted = as_node(loss), parameters_of(operation, leaves_of(params))
        _check_loss(operation, node, wanted)
        found = dict(zip(wanted, grad(node, wanted), strict=True)) if wanted else {}
    if not found:
        raise messages.no_parameters(operation)
    for w, g in found.items():
        if g.shape != w.shape:
            raise messages.rule_gradient_shape(operation, w, g)
    return {w: as_dtype_of(g, w) for w, g in found.items()}


def _check_loss(operation: str, loss: Node, params: Sequence[Variable]) -> None:
    if loss.shape != ():
        raise errors.not_scalar(operation, loss)
    reached = set(toposort([loss]))
    for w in params:
        if w not in reached:
            raise messages.untrained(operation, w)


# -- the optimizer's own variables -----------------------------------------------------------------------


def _state(prefix: str, w: Variable) -> Variable:
    """Make the variable in which something is remembered for a parameter."""
    return variable(f"{prefix}_{w.name}", w.shape, w.dtype, latex=f"{prefix}_{{{look_of(w.label)}}}")


def _updates(
    operation: str,
    rules: dict[Variable, Node],
    gradients: Mapping[Variable, Node],
    printed: Mapping[Variable, Node] | None = None,
) -> Updates:
    """Return the rules, if no variable of the graph has the name of one of the optimizer's."""
    own = {x.name: x for x in rules if x not in gradients}
    for node in toposort([*gradients, *gradients.values()]):
        if isinstance(node, Variable) and node.name in own:
            raise messages.state_name_taken(operation, node.name, node)
    return Updates(rules, parameters=list(gradients), printed=printed)


def _named(name: str, node: Node) -> Node:
    """Suggest a name for a number of a rule; one that is taken is numbered."""
    return Named(Label(name, None, "guard"), node)


def _assignment(name: str, node: Node) -> list[str]:
    """Write an assignment in terms of what is named, behind the lines of shared parts that have no name."""
    *lines, last = str(node).splitlines()
    names = {found.name for found in toposort([node]) if isinstance(found, (Named, Variable))}
    return [*(line for line in lines if line.partition(" = ")[0] not in names), f"{name} <- {last}"]


def __dir__() -> list[str]:
    """Return what is public: completion shows no more."""
    return sorted(__all__)
