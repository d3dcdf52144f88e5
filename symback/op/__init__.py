"""How operations are declared, and the tables of all of them: `declare` for primitives, `public` for names."""
