"""Segments: the pieces of a curve model.

A segment says how the share s(u) of the way from the floor (0) to the ceiling (1) continues after
its changepoint. `begin` is for a segment that comes first; `advance` for one that follows, given
the share at its start and the distance of u beyond the changepoint. Shapes: u is (row, point, 1),
parameters are (row, 1, particle), so every result broadcasts to (row, point, particle).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from upturn.formulas.parameters import POSITIVE, REAL, UNIT, Parameter

__all__ = [
    "HEIGHT",
    "KINDS",
    "MIDPOINT",
    "POSITIVE",
    "REAL",
    "SLOPE",
    "UNIT",
    "WIDTH",
    "Floor",
    "Gompertz",
    "Level",
    "Line",
    "Logistic",
    "Parameter",
    "Ramp",
    "Rise",
    "Segment",
    "Stand",
    "share",
]

# exp(710) overflows a double; at exp(700) the curve is flat to the last bit
LARGEST_EXPONENT = 700.0
SHARE_RANGE = (1e-300, 1 - 2.0**-53)  # shares whose log odds are finite

# Parameters that several kinds of segments have. The reasons for the priors are in docs/models.md.
CHANGEPOINT = Parameter("Uniform(0, 1)", REAL, "changepoint")
HEIGHT = Parameter("Uniform(0, 1)", UNIT, "height")
SLOPE = Parameter("LogNormal(0.5, 1)", POSITIVE, "rate")
MIDPOINT = Parameter("Normal(0.6, 0.4)", REAL, "place")
WIDTH = Parameter("LogNormal(-2.3, 0.8)", POSITIVE, "rate")


@dataclass(frozen=True)
class Stand:
    """The share s that a curve has reached, or its logit."""

    share: Any = None
    logit: Any = None

    def s(self, xp: Any) -> Any:
        """The share, computed from the logit if necessary."""
        return self.share if self.logit is None else _logistic(xp, self.logit)

    def eta(self, xp: Any) -> Any:
        """The logit, computed from the share if necessary."""
        if self.logit is not None:
            return self.logit
        share = xp.clip(self.share, *SHARE_RANGE)
        return xp.log(share) - xp.log1p(-share)


@dataclass(frozen=True)
class Floor:
    """s = 0."""

    parameters: ClassVar[Mapping[str, Parameter]] = {}
    can_begin: ClassVar[bool] = True
    can_follow: ClassVar[bool] = False
    moves: ClassVar[bool] = False

    def begin(self, xp: Any, u: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(0.0 * u[:, :1])  # the same at every point


@dataclass(frozen=True)
class Level:
    """s = level, a jump; joined: s stays constant."""

    joined: bool = False
    can_begin: ClassVar[bool] = True
    can_follow: ClassVar[bool] = True
    moves: ClassVar[bool] = False

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        return {} if self.joined else {"level": Parameter("Uniform(0, 1)", UNIT, "height")}

    def begin(self, xp: Any, u: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(p["level"])

    def advance(self, xp: Any, stand: Stand, distance: Any, p: Mapping[str, Any]) -> Stand:
        if self.joined:
            return stand
        return Stand(xp.where(distance > 0, p["level"], stand.s(xp)))


@dataclass(frozen=True)
class Rise:
    """s = s_prev + (height - s_prev)(1 - exp(-rate (u - tau))): a saturating rise."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        "height": HEIGHT,
        "rate": Parameter("LogNormal(1, 1.2)", POSITIVE, "rate"),
    }
    can_begin: ClassVar[bool] = False
    can_follow: ClassVar[bool] = True
    moves: ClassVar[bool] = True

    def advance(self, xp: Any, stand: Stand, distance: Any, p: Mapping[str, Any]) -> Stand:
        decay = xp.exp(-p["rate"] * distance)
        return Stand(p["height"] + (stand.s(xp) - p["height"]) * decay)


@dataclass(frozen=True)
class Ramp:
    """s = min(s_prev + slope (u - tau), 1): a straight rise, ended by the ceiling."""

    parameters: ClassVar[Mapping[str, Parameter]] = {"slope": SLOPE}
    can_begin: ClassVar[bool] = False
    can_follow: ClassVar[bool] = True
    moves: ClassVar[bool] = True

    def advance(self, xp: Any, stand: Stand, distance: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(xp.minimum(stand.s(xp) + p["slope"] * distance, 1.0))


@dataclass(frozen=True)
class Line:
    """logit s = logit s_prev ± slope (u - tau): a straight line in the log odds.

    Standing first, it starts from its own `intercept`, the log odds at u = 0. The slope is a
    magnitude, and `down` gives its direction.
    """

    down: bool = False
    can_begin: ClassVar[bool] = True
    can_follow: ClassVar[bool] = True
    moves: ClassVar[bool] = True
    parameters: ClassVar[Mapping[str, Parameter]] = {"slope": SLOPE}
    parameters_if_first: ClassVar[Mapping[str, Parameter]] = {
        "intercept": Parameter("Normal(-2, 2)", REAL, "place")
    }

    def _rise(self, p: Mapping[str, Any]) -> Any:
        return -p["slope"] if self.down else p["slope"]

    def begin(self, xp: Any, u: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(logit=p["intercept"] + self._rise(p) * u)

    def advance(self, xp: Any, stand: Stand, distance: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(logit=stand.eta(xp) + self._rise(p) * distance)


@dataclass(frozen=True)
class Logistic:
    """s = height / (1 + exp(-(u - midpoint) / width)): smooth, no changepoint."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        "height": HEIGHT,
        "midpoint": MIDPOINT,
        "width": WIDTH,
    }
    can_begin: ClassVar[bool] = True
    can_follow: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def begin(self, xp: Any, u: Any, p: Mapping[str, Any]) -> Stand:
        return Stand(p["height"] * _logistic(xp, (u - p["midpoint"]) / p["width"]))


@dataclass(frozen=True)
class Gompertz:
    """s = height exp(-exp(-(u - midpoint) / width)): sudden onset, slow saturation.

    Mirrored, s = height (1 - exp(-exp((u - midpoint) / width))): slow onset, sudden saturation.
    """

    mirror: bool = False
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "height": HEIGHT,
        "midpoint": MIDPOINT,
        "width": WIDTH,
    }
    can_begin: ClassVar[bool] = True
    can_follow: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def begin(self, xp: Any, u: Any, p: Mapping[str, Any]) -> Stand:
        steps = xp.clip((u - p["midpoint"]) / p["width"], -LARGEST_EXPONENT, LARGEST_EXPONENT)
        if self.mirror:
            return Stand(-p["height"] * xp.expm1(-xp.exp(steps)))
        return Stand(p["height"] * xp.exp(-xp.exp(-steps)))


Segment = Floor | Level | Rise | Ramp | Line | Logistic | Gompertz

KINDS: dict[str, type[Segment]] = {
    "floor": Floor,
    "level": Level,
    "rise": Rise,
    "ramp": Ramp,
    "line": Line,
    "logistic": Logistic,
    "gompertz": Gompertz,
}


def declared(segment: Segment, *, first: bool) -> dict[str, Parameter]:
    """The parameters that a segment declares, by their plain names.

    Parameters
    ----------
    segment : Segment
    first : bool
        Whether it begins the curve; it may then need further parameters.
    """
    further = getattr(segment, "parameters_if_first", {}) if first else {}
    return {**further, **segment.parameters}


def all_parameters() -> dict[str, Parameter]:
    """The parameters of all kinds of segments, by their plain names, the changepoint first."""
    out = {"changepoint": CHANGEPOINT}
    for kind in KINDS.values():
        out |= declared(kind(), first=True)
    return out


def share(
    xp: Any,
    segments: tuple[Segment, ...],
    changepoints: list[Any],
    parameters: list[Mapping[str, Any]],
    u: Any,
) -> Any:
    """s(u) of a chain of segments, each of which starts at the end of the one before it.

    Parameters
    ----------
    xp : namespace
    segments : tuple of Segment
    changepoints : list of array (row, 1, particle)
        One for each segment but the first, in ascending order.
    parameters : list of mapping
        For each segment, its parameters by their plain names.
    u : array (row, point, 1), or (row, point, particle) where points are shifted

    Returns
    -------
    array (row, point, particle)
    """
    first, *others = segments
    stops = changepoints and first.moves  # else it continues to the end of the axis
    start = xp.minimum(u, changepoints[0]) if stops else u
    stand = first.begin(xp, start, parameters[0])  # type: ignore[union-attr]
    for i, segment in enumerate(others):
        distance = xp.maximum(u - changepoints[i], 0.0)
        if i + 1 < len(changepoints) and segment.moves:
            distance = xp.minimum(distance, changepoints[i + 1] - changepoints[i])
        stand = segment.advance(xp, stand, distance, parameters[i + 1])  # type: ignore[union-attr]
    return stand.s(xp)


def _logistic(xp: Any, eta: Any) -> Any:
    return 1 / (1 + xp.exp(xp.minimum(-eta, LARGEST_EXPONENT)))
