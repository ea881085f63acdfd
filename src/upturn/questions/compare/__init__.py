"""compare: on which axis, by which model, under which metric is emergence seen most clearly?"""

from upturn.questions.compare.axes import AxesComparison, compare_axes
from upturn.questions.compare.metrics import MetricsComparison, compare_metrics
from upturn.questions.compare.models import ModelsComparison, compare_models

__all__ = [
    "AxesComparison",
    "MetricsComparison",
    "ModelsComparison",
    "compare_axes",
    "compare_metrics",
    "compare_models",
]
