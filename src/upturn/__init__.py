"""At what scale does each ability turn up, how sure are we, and on which axis of scale?

>>> import upturn
>>> results = upturn.read("results.csv")  # doctest: +SKIP
>>> fit = upturn.fit(results, axis="flops", model="hinge", seed=0)  # doctest: +SKIP
>>> fit.summary()  # doctest: +SKIP

Public names are resolved on first use: importing the package loads neither pandas nor PyMC nor JAX
nor matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
