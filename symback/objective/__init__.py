"""The objective of an optimiser: one vector of parameters, its loss, and the derivatives of that."""
