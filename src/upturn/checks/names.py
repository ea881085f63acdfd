"""The names that options may take."""

SAMPLERS = ("population", "nuts")

BACKENDS = ("numpy", "jax")


SCATTERS = ("auto", "none", "family", "run")
