"""symback: a symbolic-to-symbolic differentiation compiler on SymPy expression graphs.

A model is a graph of interned nodes with shapes and dtypes; `grad` and its relatives append derivative
nodes to the same graph; `lambdify` emits NumPy code for any of them, `derive` prints the derivation, and
`check_grad` compares with numbers.

What is imported here is public. The functions in NumPy's names are those that the modules of `symback.ops` list.
"""

from types import ModuleType as _ModuleType

from symback import errors as errors
from symback import optim as optim
from symback import testing as testing
from symback.api import cost, lambdify
from symback.batching import batch
from symback.calculus import directional_derivative, grad, hessian, jacobian, jacobian_order, jvp, vjp
from symback.check.comparison import compare
from symback.check.domain.verify import verify
from symback.check.evaluate import evaluate
from symback.check.gradient import check_grad
from symback.check.nonfinite.report import NanTrace
from symback.check.nonfinite.trace import nan_trace
from symback.check.primitive import check_primitive
from symback.check.reports.comparison_report import ComparisonReport
from symback.check.reports.gradient_report import GradientReport
from symback.codegen.cost.tally import Cost
from symback.codegen.function import CompiledFunction
from symback.curvature import gauss_newton, ggn, hvp, vhp
from symback.derivation.derive import derive
from symback.derivation.result import Derivation
from symback.derive.sparsity.pattern import SparsityPattern
from symback.draw.drawing import Drawing, draw
from symback.fields import divergence, laplacian
from symback.function import function
from symback.interop.serialize import dumps, loads
from symback.interop.symbolic.bridge import from_sympy
from symback.interop.symbolic.into_sympy import to_sympy
from symback.interop.text.formula import from_text
from symback.interop.tracing import from_function
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.objective.evaluation import Objective
from symback.objective.objective import objective
from symback.op.declare import elementwise, primitive
from symback.op.table import PRIMITIVES, Primitive
from symback.ops import linalg as linalg
from symback.ops import special as special
from symback.ops.creation.filling import *
from symback.ops.creation.grids import *
from symback.ops.creation.identities import *
from symback.ops.elementwise.activations import *
from symback.ops.elementwise.arithmetic import *
from symback.ops.elementwise.exponential import *
from symback.ops.elementwise.integers import *
from symback.ops.elementwise.kinks import *
from symback.ops.elementwise.logic import *
from symback.ops.elementwise.powers import *
from symback.ops.elementwise.rounding import *
from symback.ops.elementwise.selection import *
from symback.ops.elementwise.trigonometric import *
from symback.ops.indexing.getitem import *
from symback.ops.indexing.quantiles import *
from symback.ops.indexing.sorting import *
from symback.ops.indexing.taking import *
from symback.ops.losses import *
from symback.ops.numerics.structured import StructuredTensor
from symback.ops.products.axes import *
from symback.ops.products.bilinear import *
from symback.ops.products.diagonals import *
from symback.ops.products.einsum import *
from symback.ops.products.multiplying import *
from symback.ops.reductions.counting import *
from symback.ops.reductions.extrema import *
from symback.ops.reductions.ignoring_nan import *
from symback.ops.reductions.prod import *
from symback.ops.reductions.scans import *
from symback.ops.reductions.softmax import *
from symback.ops.reductions.statistics import *
from symback.ops.reductions.sums import *
from symback.ops.shaping.arranging import *
from symback.ops.shaping.differences import *
from symback.ops.shaping.joining import *
from symback.ops.shaping.padding import *
from symback.ops.shaping.repeating import *
from symback.ops.shaping.reshaping import *
from symback.ops.shaping.splitting import *
from symback.ops.shaping.stacking import *
from symback.ops.shaping.triangles import *
from symback.rewrite.algebra import SIMPLIFY
from symback.rewrite.engine import Rule
from symback.rewrite.report import Explanation
from symback.rewrite.stability import STABILISE, TAILS
from symback.scalar.function import scalar_function
from symback.sparse import SparseMatrix, hessian_sparsity, sparsity
from symback.transform import explain, rewrite, simplify

abs = absolute
amax, amin = max, min
concat = concatenate

__version__ = "0.1.0"

__all__ = ["__version__", "errors", "linalg", "optim", "special", "testing"]
__all__ += [name for name, value in globals().items() if name[0] != "_" and not isinstance(value, _ModuleType)]
