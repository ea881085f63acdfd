"""At what scale does each ability turn up, how sure are we, and on which axis of scale?

>>> import upturn
>>> results = upturn.read("results.csv")  # doctest: +SKIP
>>> fit = upturn.fit(results, axis="flops", model="hinge", seed=0)  # doctest: +SKIP
>>> fit.summary()  # doctest: +SKIP

Public names are resolved on first use: importing the package loads neither pandas nor PyMC nor JAX
nor matplotlib.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upturn.checks.errors import DataError
    from upturn.model import Model
    from upturn.questions.calibrate.calibrate import calibrate
    from upturn.questions.calibrate.result import Calibration
    from upturn.questions.classify.classify import classify
    from upturn.questions.classify.criteria import Criteria
    from upturn.questions.classify.floor_test import floor_test
    from upturn.questions.classify.influence import influence
    from upturn.questions.classify.result import Classification
    from upturn.questions.classify.sensitivity import prior_sensitivity
    from upturn.questions.compare import compare_axes, compare_metrics, compare_models
    from upturn.questions.contrast.contrast import contrast
    from upturn.questions.contrast.result import Contrast
    from upturn.questions.fit.fit import fit
    from upturn.questions.fit.load import load
    from upturn.questions.fit.result import Fit
    from upturn.questions.forecast.forecast import forecast
    from upturn.questions.forecast.result import Forecast
    from upturn.questions.plan.plan import plan
    from upturn.questions.plan.result import Plan
    from upturn.questions.pool.pool import pool
    from upturn.questions.pool.result import Pool
    from upturn.questions.simulate.design import Design
    from upturn.questions.simulate.result import Simulation
    from upturn.questions.simulate.simulate import simulate
    from upturn.show.report import report
    from upturn.tables.axis import Axis
    from upturn.tables.curves import Curves
    from upturn.tables.results import Results, read

__version__ = "0.1.0"

__all__ = [
    "Axis",
    "Calibration",
    "Classification",
    "Contrast",
    "Criteria",
    "Curves",
    "DataError",
    "Design",
    "Fit",
    "Forecast",
    "Model",
    "Plan",
    "Pool",
    "Results",
    "Simulation",
    "__version__",
    "calibrate",
    "classify",
    "compare_axes",
    "compare_metrics",
    "compare_models",
    "contrast",
    "fit",
    "floor_test",
    "forecast",
    "influence",
    "load",
    "plan",
    "pool",
    "prior_sensitivity",
    "read",
    "report",
    "simulate",
]

# The module each public name lives in; the imports above tell type checkers the same.
_HOME = {
    "Axis": "upturn.tables.axis",
    "Calibration": "upturn.questions.calibrate.result",
    "Classification": "upturn.questions.classify.result",
    "Contrast": "upturn.questions.contrast.result",
    "Criteria": "upturn.questions.classify.criteria",
    "Curves": "upturn.tables.curves",
    "DataError": "upturn.checks.errors",
    "Design": "upturn.questions.simulate.design",
    "Fit": "upturn.questions.fit.result",
    "Forecast": "upturn.questions.forecast.result",
    "Model": "upturn.model",
    "Plan": "upturn.questions.plan.result",
    "Pool": "upturn.questions.pool.result",
    "Results": "upturn.tables.results",
    "Simulation": "upturn.questions.simulate.result",
    "calibrate": "upturn.questions.calibrate.calibrate",
    "classify": "upturn.questions.classify.classify",
    "compare_axes": "upturn.questions.compare",
    "compare_metrics": "upturn.questions.compare",
    "compare_models": "upturn.questions.compare",
    "contrast": "upturn.questions.contrast.contrast",
    "fit": "upturn.questions.fit.fit",
    "floor_test": "upturn.questions.classify.floor_test",
    "forecast": "upturn.questions.forecast.forecast",
    "influence": "upturn.questions.classify.influence",
    "load": "upturn.questions.fit.load",
    "plan": "upturn.questions.plan.plan",
    "pool": "upturn.questions.pool.pool",
    "prior_sensitivity": "upturn.questions.classify.sensitivity",
    "read": "upturn.tables.results",
    "report": "upturn.show.report",
    "simulate": "upturn.questions.simulate.simulate",
}


class _Package(ModuleType):
    """The package, in which a public function wins over the submodule that shares its name.

    The import system binds a submodule as an attribute of its package, so that loading the file
    ``upturn/fit.py`` would otherwise turn ``upturn.fit`` from the function into the module.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and value.__name__ == _HOME.get(name):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

if not TYPE_CHECKING:  # otherwise a type checker would accept any misspelt name

    def __getattr__(name):
        """Import the module of a public name and keep the name."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of the package, public ones that are not loaded yet among them."""
    return sorted({*globals(), *__all__})
