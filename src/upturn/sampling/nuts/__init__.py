"""NUTS: the same models in PyMC."""
