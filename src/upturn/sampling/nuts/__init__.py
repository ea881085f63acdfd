"""NUTS: the same models in PyMC, sampled by NUTS."""
