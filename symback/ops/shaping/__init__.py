"""The same entries in another shape or order: reshaping, joining, splitting, repeating, padding."""
