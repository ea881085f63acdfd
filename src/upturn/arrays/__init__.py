"""Arrays: the functions that formulas are written in, on NumPy, JAX and PyTensor, and compiled.

Names are imported on first use: a module that needs only the types of arrays loads no numba.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
