"""symback: a symbolic-to-symbolic differentiation compiler on SymPy expression graphs.

A model is a graph of interned nodes with shapes and dtypes; `grad` and its relatives append derivative
nodes to the same graph; `lambdify` emits NumPy code for any of them, `derive` prints the derivation, and
`check_grad` compares with numbers.
"""

from symback import errors
from symback.api import grad, hessian, jacobian, jvp, lambdify, vjp
from symback.check.evaluate import evaluate
from symback.check.gradient import check_grad
from symback.check.primitive import check_primitive
from symback.check.report import GradientReport
from symback.codegen.function import CompiledFunction
from symback.interop.serialize import dumps, loads
from symback.interop.sympy import from_sympy, to_sympy
from symback.latex.derivation import Derivation, derive
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.op.declare import elementwise, primitive
from symback.op.table import PRIMITIVES, Primitive
from symback.ops.arithmetic import add, divide, multiply, negative, subtract
from symback.ops.creation import constant, eye, full, full_like, let, ones, ones_like, size, tensor, zeros, zeros_like
from symback.ops.exponential import exp, expm1, log, log1p, sigmoid, softplus
from symback.ops.logic import (
    absolute,
    astype,
    ceil,
    equal,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    relu,
    sign,
    stop_gradient,
    where,
)
from symback.ops.powers import power, reciprocal, sqrt, square
from symback.ops.products import (
    diag,
    diagonal,
    dot,
    einsum,
    inner,
    matmul,
    moveaxis,
    outer,
    swapaxes,
    tensordot,
    trace,
    transpose,
    vdot,
)
from symback.ops.reduction import logsumexp, max, mean, min, softmax, std, sum, var
from symback.ops.shaping import broadcast_to, concatenate, expand_dims, ravel, reshape, squeeze, stack
from symback.ops.trigonometric import arccos, arcsin, arctan, cos, cosh, sin, sinh, tan, tanh

abs = absolute

__version__ = "0.1.0"

__all__ = [
    "PRIMITIVES",
    "CompiledFunction",
    "Derivation",
    "GradientReport",
    "Node",
    "Primitive",
    "Variable",
    "__version__",
    "abs",
    "absolute",
    "add",
    "arccos",
    "arcsin",
    "arctan",
    "astype",
    "broadcast_to",
    "ceil",
    "check_grad",
    "check_primitive",
    "concatenate",
    "constant",
    "cos",
    "cosh",
    "derive",
    "diag",
    "diagonal",
    "divide",
    "dot",
    "dumps",
    "einsum",
    "elementwise",
    "equal",
    "errors",
    "evaluate",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "floor",
    "from_sympy",
    "full",
    "full_like",
    "grad",
    "greater",
    "greater_equal",
    "hessian",
    "inner",
    "jacobian",
    "jvp",
    "lambdify",
    "less",
    "less_equal",
    "let",
    "loads",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "negative",
    "not_equal",
    "ones",
    "ones_like",
    "outer",
    "power",
    "primitive",
    "ravel",
    "reciprocal",
    "relu",
    "reshape",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "to_sympy",
    "trace",
    "transpose",
    "var",
    "vdot",
    "vjp",
    "where",
    "zeros",
    "zeros_like",
]
