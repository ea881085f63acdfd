"""Models: a list of segments, a likelihood and priors, read from a TOML file that is data only."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from upturn.checks.arguments import known
from upturn.checks.errors import DataError, shown
from upturn.formulas import segments as pieces
from upturn.formulas.likelihoods.likelihood import Likelihood
from upturn.formulas.likelihoods.registry import BY_KIND, LIKELIHOODS
from upturn.formulas.priors import Prior
from upturn.formulas.segments import KINDS, Floor, Line, Segment

if TYPE_CHECKING:
    import pymc as pm

    from upturn.tables.curves import Curves

SHAPES = ("flat", "smooth", "changepoint", "inverse", "u-shaped")
RANGES = ("floor", "zero")
KEYS = ("name", "shape", "summary", "range", "likelihood", "segments", "priors")
MAX_SEGMENTS = 8
MAX_BYTES = 100_000
MAX_DOTS = 100  # of a line: the time to read a key of many parts grows with their square

# Where every prior that a model file leaves out comes from; docs/models.md gives the reasons.
SEGMENT_PRIORS = {
    "changepoint": "Uniform(0, 1)",
    "height": "Uniform(0, 1)",
    "rate": "LogNormal(1, 1.2)",
    "level": "Uniform(0, 1)",
    "slope": "LogNormal(0.5, 1)",
    "intercept": "Normal(-2, 2)",
    "midpoint": "Normal(0.6, 0.4)",
    "width": "LogNormal(-2.3, 0.8)",
}
SCATTER_PRIOR = "HalfNormal(0.1)"
# Of mean 0.1 and median 0.02: where noise is correlated along a run, it explains much of what
# offsets would, and runs that hardly differ are no surprise (docs/decisions.md).
SCATTER_OF_RUNS = "Gamma(0.25, 2.5)"

# Outside these, a parameter has no meaning, and a prior that reaches there is refused.
DOMAINS = {
    "height": (0.0, 1.0),
    "level": (0.0, 1.0),
    "rate": (0.0, math.inf),
    "slope": (0.0, math.inf),
    "width": (0.0, math.inf),
    "overdispersion": (0.0, math.inf),
    "broken": (0.0, 1.0),
    "autocorrelation": (0.0, 1.0),
    "sigma": (0.0, math.inf),
    "nu": (0.0, math.inf),
    "scatter": (0.0, math.inf),
}


@dataclass(frozen=True)
class Model:
    """A curve model.

    The expected score is mean(u) = base + (ceiling - base) s(u), with s(u) the chain of segments
    and base the floor parameter, or 0 where ``range`` is "zero".

    Attributes
    ----------
    name : str
    shape : str
        The shape class it stands for: flat, smooth, changepoint, inverse or u-shaped.
    summary : str
        One line for people.
    segments : tuple of Segment
    range : str
        "floor" or "zero".
    likelihood : str
        The name of one, or "auto" or "robust": by the kind of each curve.
    given : mapping
        The priors that the file or the command line gave; the rest are defaults.

    Examples
    --------
    >>> Model.read("hinge").parameters
    ('changepoint', 'height', 'rate', 'floor')
    """

    name: str
    shape: str
    summary: str
    segments: tuple[Segment, ...]
    range: str = "floor"
    likelihood: str = "auto"
    given: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "given", dict(self.given or {}))

    # --- what it is made of -----------------------------------------------------------------------

    @cached_property
    def changepoints(self) -> tuple[str, ...]:
        """The names of its changepoints, in order."""
        return tuple(_numbered("changepoint", i) for i in range(len(self.segments) - 1))

    @cached_property
    def _names(self) -> tuple[dict[str, str], ...]:
        """For each segment, its parameters: plain name → the name in this model."""
        seen: dict[str, int] = {}
        out = []
        for i, segment in enumerate(self.segments):
            plain = list(segment.parameters)
            if i == 0 and isinstance(segment, Line):
                plain.insert(0, "intercept")
            out.append({p: _numbered(p, seen.get(p, 0)) for p in plain})
            seen.update({p: seen.get(p, 0) + 1 for p in plain})
        return tuple(out)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters of the expected score, in the order samplers hold them."""
        own = tuple(name for names in self._names for name in names.values())
        return self.changepoints + own + (("floor",) if self.range == "floor" else ())

    @property
    def moves(self) -> bool:
        """Whether the expected score depends on scale at all."""
        return len(self.segments) > 1 or self.segments[0].moves

    def default_priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, str]:
        """The defaults of every parameter under a likelihood, by name."""
        own = {
            name: SEGMENT_PRIORS[plain] for names in self._names for plain, name in names.items()
        }
        noise = {k: v for k, v in likelihood.priors.items() if k != "floor"}
        return (
            ({"changepoint": SEGMENT_PRIORS["changepoint"]} if self.changepoints else {})
            | own
            | ({"floor": likelihood.priors["floor"]} if self.range == "floor" else {})
            | noise
            | (
                {"scatter": SCATTER_OF_RUNS if likelihood.plain else SCATTER_PRIOR}
                if scatter
                else {}
            )
        )

    def priors(self, likelihood: Likelihood, *, scatter: bool) -> dict[str, Prior]:
        """The priors in force under a likelihood, by parameter, in the order of samplers.

        Several changepoints share one prior: they are its ordered draws.
        """
        texts = self.default_priors(likelihood, scatter=scatter)
        texts |= {name: text for name, text in self.given.items() if name in texts}
        out = {n: Prior.parse(t, f"model {self.name!r}, prior {n!r}") for n, t in texts.items()}
        first = out.pop("changepoint", None)
        return {name: first for name in self.changepoints if first is not None} | out

    def likelihood_for(self, kind: str) -> Likelihood:
        """The likelihood for a kind of curve.

        Raises
        ------
        DataError
            Where the model's likelihood cannot explain that kind.
        """
        likelihood = LIKELIHOODS[self._likelihood_name(kind)]
        if kind not in likelihood.kinds:
            needs = "proportions" if "proportion" in likelihood.kinds else "successes and trials"
            raise DataError(
                f"likelihood {likelihood.name!r}: expected {needs}, but got a {kind} metric; "
                f"use --likelihood auto, or one of "
                + ", ".join(n for n, one in LIKELIHOODS.items() if kind in one.kinds)
            )
        return likelihood

    def _likelihood_name(self, kind: str) -> str:
        by_kind = BY_KIND.get(self.likelihood)
        return self.likelihood if by_kind is None else by_kind[kind]

    # --- what it computes -------------------------------------------------------------------------

    def mean(self, xp: Any, p: Mapping[str, Any], u: Any, ceiling: Any) -> Any:
        """Expected score at u.

        Parameters
        ----------
        xp : namespace
            See `upturn.arrays`.
        p : mapping
            Parameters by name, each (row, 1, particle).
        u : array (row, point, 1) or (row, point, particle)
        ceiling : array (row, 1, 1)

        Returns
        -------
        array (row, point, particle)
        """
        s = pieces.share(
            xp,
            self.segments,
            [p[name] for name in self.changepoints],
            [{plain: p[name] for plain, name in names.items()} for names in self._names],
            u,
        )
        if self.range == "zero":
            return ceiling * s
        return p["floor"] + (ceiling - p["floor"]) * s

    def to_pymc(self, curves: "Curves") -> "pm.Model":
        """Build the `pymc.Model` of some curves, to be sampled or extended.

        Parameters are variables along `curve`, on the model's scale: a changepoint is a share of
        the axis. Where curves have groups, each group's offset is a variable of its own (`offset`,
        in standard deviations `scatter`), which the population sampler integrates over. The
        observed variable `y` runs along `obs`, all points of all curves one after the other.

        Parameters
        ----------
        curves : Curves
            Of one kind.

        Returns
        -------
        pymc.Model

        Raises
        ------
        DataError
            For curves of several kinds, or of one that the model's likelihood cannot explain.
        """
        from upturn.to_pymc import to_pymc

        return to_pymc(self, curves)

    # --- variants ---------------------------------------------------------------------------------

    def twin(self) -> Self:
        """The no-change twin: the model cut to its first segment; `flat` for one-segment models."""
        if len(self.segments) == 1:
            flat = type(self).read("flat")
            kept = {k: v for k, v in self.given.items() if k in _noise_parameters()}
            return replace(flat, likelihood=self.likelihood, given={**flat.given, **kept})
        cut = replace(self, name=f"{self.name}-unchanged", segments=self.segments[:1])
        return replace(cut, given=_of_interest(cut, self.given))

    def with_priors(self, given: Mapping[str, str], where: str = "--prior") -> Self:
        """The same model with other priors.

        Raises
        ------
        DataError
            Naming what was expected, for an unknown parameter or an unusable prior.
        """
        for name, text in given.items():
            _check_prior(self, name, text, where)
        return replace(self, given={**self.given, **given})

    def with_likelihood(self, name: str) -> Self:
        """The same model with another likelihood.

        "auto" is by the kind of each curve, "robust" likewise, with scores that may be broken.
        """
        known(name, [*BY_KIND, *LIKELIHOODS], kind="likelihood", where="--likelihood")
        return replace(self, likelihood=name)

    # --- files ------------------------------------------------------------------------------------

    @staticmethod
    def names() -> list[str]:
        """The built-in models."""
        entries = [p.name for p in _folder().iterdir()]
        found = [name.removesuffix(".toml") for name in entries if name.endswith(".toml")]
        return sorted(found, key=lambda n: (_order(n), n))

    @classmethod
    def read(cls, source: "str | Path | Model") -> Self:
        """A built-in model by name, or a model file by path.

        Raises
        ------
        DataError
            For an unknown name, or a file that is no model: file, key, what was expected.
        """
        if isinstance(source, Model):
            return source  # type: ignore[return-value]
        text = str(source)
        if isinstance(source, Path) or text.endswith(".toml") or "/" in text:
            return cls.from_toml(_file_text(Path(source)), Path(source).name)
        known(text, cls.names(), kind="model", where="model")
        return cls.from_toml((_folder() / f"{text}.toml").read_text("utf-8"), f"{text}.toml")

    @classmethod
    def from_toml(cls, text: str, where: str) -> Self:
        """A model from the text of its file; messages begin with `where`."""
        dots = max((line.count(".") for line in text.splitlines()), default=0)
        if dots > MAX_DOTS:
            raise DataError(
                f"{where}: expected at most {MAX_DOTS} dots on a line, but got {dots:,}; "
                "keys of a model have no parts"
            )
        try:
            table = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: expected a TOML file, but got: {error}") from None
        for key in table:
            known(key, KEYS, kind="key", where=where)
        chain = table.get("segments")
        if not isinstance(chain, list) or not 1 <= len(chain) <= MAX_SEGMENTS:
            raise DataError(
                f"{where}, key 'segments': expected 1 to {MAX_SEGMENTS} tables "
                f"[[segments]], but got {shown(chain)}"
            )
        model = cls(
            name=_text(table, "name", where),
            shape=known(
                _text(table, "shape", where), SHAPES, kind="shape", where=f"{where}, key 'shape'"
            ),
            summary=_text(table, "summary", where, default=""),
            segments=_segments(chain, where),
            range=known(
                _text(table, "range", where, default="floor"),
                RANGES,
                kind="range",
                where=f"{where}, key 'range'",
            ),
            likelihood=known(
                _text(table, "likelihood", where, default="auto"),
                [*BY_KIND, *LIKELIHOODS],
                kind="likelihood",
                where=f"{where}, key 'likelihood'",
            ),
        )
        given = table.get("priors", {})
        if not isinstance(given, dict):
            raise DataError(
                f"{where}, key 'priors': expected a table [priors], but got {shown(given)}"
            )
        return model.with_priors(given, f"{where}, key 'priors'")

    def to_toml(self) -> str:
        """The model's file, with every prior spelled out.

        Those that the likelihood decides are comments where it is "auto": a floor that suits counts
        does not suit a continuous metric.
        """
        lines = [f"{key} = {_quoted(getattr(self, key))}" for key in KEYS[:5]]
        for segment in self.segments:
            kind = next(k for k, v in KINDS.items() if isinstance(segment, v))
            lines += ["", "[[segments]]", f"kind = {_quoted(kind)}"]
            lines += [
                f"{f.name} = {str(getattr(segment, f.name)).lower()}"
                for f in fields(segment)
                if getattr(segment, f.name)
            ]
        lines += ["", "[priors]"]
        priors = {name: f"{name} = {_quoted(text)}" for name, text in self.all_priors().items()}
        by_kind = BY_KIND.get(self.likelihood)
        varying = () if by_kind is None else (*LIKELIHOODS[by_kind["counts"]].priors, "scatter")
        left_open = [name for name in priors if name in varying and name not in self.given]
        lines += [line for name, line in priors.items() if name not in left_open]
        if left_open:
            lines += ["# Left to the likelihood; for counts:"]
            lines += [f"# {priors[name]}" for name in left_open]
        return "\n".join(lines) + "\n"

    def all_priors(self) -> dict[str, str]:
        """Every prior in force, the noise's under the likelihood (that of counts by default)."""
        counts = LIKELIHOODS[self._likelihood_name("counts")]
        texts = self.default_priors(counts, scatter=self.moves)
        return texts | {
            k: v for k, v in self.given.items() if k in texts or k in _noise_parameters()
        }


def _numbered(name: str, index: int) -> str:
    """The first has the plain name, the next `_2`."""
    return name if index == 0 else f"{name}_{index + 1}"


def plain_name(name: str) -> str:
    """A parameter's name without the number that tells it from others of its kind."""
    return name.rstrip("_0123456789")


def _noise_parameters() -> tuple[str, ...]:
    names = {name for one in LIKELIHOODS.values() for name in one.parameters}
    return (*sorted(names), "scatter")


def _of_interest(model: Model, given: Mapping[str, str]) -> dict[str, str]:
    names = {*model.parameters, "changepoint"} if model.changepoints else set(model.parameters)
    return {k: v for k, v in given.items() if k in names or k in _noise_parameters()}


def _check_prior(model: Model, name: str, text: str, where: str) -> None:
    """Refuse a prior of something the model has not, or that reaches outside its domain."""
    ordered = ["changepoint"] if model.changepoints else []
    own = [n for n in model.parameters if n not in model.changepoints]
    known(name, [*ordered, *own, *_noise_parameters()], kind="parameter", where=where)
    prior = Prior.parse(text, f"{where}, {name!r}")
    low, high = DOMAINS.get(plain_name(name), (-math.inf, math.inf))
    below, above = prior.support()
    if below < low or above > high:
        raise DataError(
            f"{where}, {name!r}: expected a prior within [{low:g}, {high:g}], but got {shown(text)}"
        )


def _segments(chain: list[Any], where: str) -> tuple[Segment, ...]:
    """The segments of a file; a line among them has to start from finite log odds."""
    found = tuple(_segment(entry, i, where) for i, entry in enumerate(chain))
    for i, segment in enumerate(found):
        if i > 0 and isinstance(segment, Line) and all(map(_stays_at_floor, found[:i])):
            raise DataError(
                f"{where}, segment {i + 1}: expected a level, rise or ramp before a line, "
                "but got the floor, a share of 0, whose log odds no line leaves; begin with a level"
            )
    return found


def _stays_at_floor(segment: Segment) -> bool:
    return isinstance(segment, Floor) or getattr(segment, "joined", False)


def _segment(entry: Any, index: int, where: str) -> Segment:
    place = f"{where}, segment {index + 1}"
    if not isinstance(entry, dict) or not isinstance(entry.get("kind"), str):
        raise DataError(f"{place}: expected a table with a key 'kind', but got {shown(entry)}")
    options = {key: value for key, value in entry.items() if key != "kind"}
    kind = KINDS[known(entry["kind"], list(KINDS), kind="kind of segment", where=place)]
    if options.get("link") == "logit" and kind is Line:
        options.pop("link")  # the only link there is; files may say so
    names = [f.name for f in fields(kind)]
    for key, value in options.items():
        if key not in names or not isinstance(value, bool):
            allowed = " or ".join(f"{n} = true" for n in names) or "no further key"
            raise DataError(f"{place}, key {key!r}: expected {allowed}, but got {shown(value)}")
    segment = kind(**options)
    if index == 0 and getattr(segment, "joined", False):
        raise DataError(f"{place}, key 'joined': expected a segment before it, but got the first")
    fits = segment.can_follow if index else segment.can_begin
    if not fits:
        use = "follow a changepoint" if index else "begin a curve"
        able = [k for k, v in KINDS.items() if (v.can_follow if index else v.can_begin)]
        raise DataError(
            f"{place}: expected a kind that can {use} ({', '.join(able)}), "
            f"but got {shown(entry['kind'])}"
        )
    return segment


def _text(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise DataError(f"{where}, key {key!r}: expected a text, but got {shown(value)}")
    return value


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: expected a readable model file, but got: {reason}") from None
    if len(content) > MAX_BYTES:
        raise DataError(
            f"{path}: expected a model file below {MAX_BYTES / 1000:g} KB, but got a larger one"
        )
    try:
        return content.decode("utf-8-sig")  # some editors of Windows begin a file with a BOM
    except UnicodeDecodeError:
        raise DataError(f"{path}: expected UTF-8 text, but got other bytes") from None


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(
        f"\\u{ord(c):04x}"
        if ord(c) < 0x20 or ord(c) == 0x7F
        else {"\\": "\\\\", '"': '\\"'}.get(c, c)
        for c in text
    )
    return f'"{escaped}"'


def _folder() -> Any:
    return files("upturn") / "models"


def _order(name: str) -> int:
    """The order of the documentation: flat, smooth, changepoint, inverse, u-shaped, two of them."""
    order = [
        "chance",
        "flat",
        "logistic",
        "gompertz",
        "gompertz-mirror",
        "logit-line",
        "step",
        "hinge",
        "ramp",
        "delayed-logit",
        "inverse",
        "u-shaped",
        "takeoff",
    ]
    return order.index(name) if name in order else len(order)
