"""Arrays: the functions that formulas are written in, on NumPy, JAX and PyTensor, and compiled.

Names are resolved on first use, since the types of arrays are wanted where numba is not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
