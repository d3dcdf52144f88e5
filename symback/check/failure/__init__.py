"""Why a gradient fails: the first bad node, found by one step of the chain rule at a time, and kinks at the point."""
