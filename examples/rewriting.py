"""Naive spellings repaired, rules of one's own, the cost of a function, and the fast style.

Logistic regression is typed as a textbook has it, 1 / (1 + exp(-z)) and its logarithms, and evaluated where those
overflow. Then: what was rewritten, what the function costs, and the same function in the fast style.
"""

import numpy as np

import symback as sb

X, y, w = sb.tensor("X", ("N", "n")), sb.tensor("y", ("N",)), sb.tensor("w", ("n",))
z = sb.let("z", X @ w)
p = sb.let("p", 1 / (1 + sb.exp(-z)))
loss = sb.let("L", -sb.mean(y * sb.log(p) + (1 - y) * sb.log(1 - p)))
outputs = [loss, sb.grad(loss, w)]

readable = sb.lambdify([X, y, w], outputs, name="logistic", cost=True)
print(readable.source[readable.source.index("def logistic") :])
print(readable.explain(), "\n")

print("Where the textbook's spelling overflows (z = -1000 and 1000):")
value, gradient = readable(np.array([[-1000.0], [1000.0]]), np.array([1.0, 0.0]), np.array([1.0]))
print(f"loss {value:g}, gradient {gradient[0]:g}\n")

print("Operations and memory traffic for 1,000 examples of 50 numbers:")
print(sb.cost(outputs).at(N=1000, n=50), "\n")

fast = sb.lambdify([X, y, w], outputs, name="logistic", style="fast")
random = np.random.default_rng(0)
point = [random.normal(size=(1000, 50)), random.integers(0, 2, size=1000).astype(float), random.normal(size=50)]
difference = max(float(np.abs(a - b).max()) for a, b in zip(readable(*point), fast(*point), strict=True))
print(f"The fast style differs by {difference:.1e} at most.\n")

angle = sb.Rule("double angle", lambda x: 2 * sb.sin(x) * sb.cos(x), lambda x: sb.sin(2 * x))
t = sb.tensor("t", ("n",))
print("A rule of one's own:", sb.rewrite(t * sb.cos(t) * sb.sin(t), [angle]))
