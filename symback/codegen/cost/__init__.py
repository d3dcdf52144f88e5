"""What emitted code costs: operations and memory traffic, counted and tabulated."""
