"""Where a non-finite value comes from: a function is run with each of its sub-expressions watched."""
