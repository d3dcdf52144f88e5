"""Matrix notation: gradients by the chain rule, and Hessians in closed form."""
