from . import arrays, datasets, plots, segments
from .checks.errors import DataError
from .model import Model
from .posterior.criteria import Criteria
from .questions.calibrate.calibrate import calibrate
from .questions.calibrate.result import Calibration
from .questions.check.check import check
from .questions.check.result import Check
from .questions.classify.classify import classify
from .questions.classify.floor_test import floor_test
from .questions.classify.influence import influence
from .questions.classify.result import Classification
from .questions.classify.sensitivity import prior_sensitivity
from .questions.compare import compare_axes, compare_metrics, compare_models
from .questions.contrast.contrast import contrast
from .questions.contrast.result import Contrast
from .questions.diff.diff import diff
from .questions.diff.result import Diff
from .questions.fit.fit import fit
from .questions.fit.load import load
from .questions.fit.result import Fit
from .questions.forecast.forecast import forecast
from .questions.forecast.result import Forecast
from .questions.plan.plan import plan
from .questions.plan.result import Plan
from .questions.pool.pool import pool
from .questions.pool.result import Pool
from .questions.simulate.design import Design
from .questions.simulate.result import Simulation
from .questions.simulate.simulate import simulate
from .show.report.report import report
from .tables.axis import Axis
from .tables.curves import Curves
from .tables.facts.listing import facts
from .tables.results import Results, read
from .version import __version__

__all__ = [
    "Axis",
    "Calibration",
    "Check",
    "Classification",
    "Contrast",
    "Criteria",
    "Curves",
    "DataError",
    "Design",
    "Diff",
    "Fit",
    "Forecast",
    "Model",
    "Plan",
    "Pool",
    "Results",
    "Simulation",
    "__version__",
    "arrays",
    "calibrate",
    "check",
    "classify",
    "compare_axes",
    "compare_metrics",
    "compare_models",
    "contrast",
    "datasets",
    "diff",
    "facts",
    "fit",
    "floor_test",
    "forecast",
    "influence",
    "load",
    "plan",
    "plots",
    "pool",
    "prior_sensitivity",
    "read",
    "report",
    "segments",
    "simulate",
]
