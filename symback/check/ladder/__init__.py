"""The methods a gradient is held against, and the subjects they are applied to."""
