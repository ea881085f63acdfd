"""Model: data files to curve models, and to PyMC."""

from upturn.model.model import Model

__all__ = ["Model"]
