"""Density: the posterior density of many curves at many particles."""
