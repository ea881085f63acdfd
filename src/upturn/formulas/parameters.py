"""What a segment or a likelihood declares of each of its parameters."""

import math
from dataclasses import dataclass

REAL, POSITIVE, UNIT = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a segment or of a likelihood.

    Attributes
    ----------
    prior : str
        Its default prior; docs/models.md gives the reasons.
    domain : tuple of float
        Where it has a meaning. A prior that reaches beyond is refused.
    group : str
        The tests of prior sensitivity widen the priors of one group together; "" for a parameter
        whose prior they leave as it is.
    """

    prior: str
    domain: tuple[float, float] = REAL
    group: str = ""
