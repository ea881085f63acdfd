from .namespaces import NUMPY, SHARED, SHIFT, jax, pytensor

__all__ = ["NUMPY", "SHARED", "SHIFT", "jax", "pytensor"]
