"""Model: curve models from data files, and their form in PyMC."""

from upturn.model.model import Model

__all__ = ["Model"]
