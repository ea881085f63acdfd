"""Model: a curve model that is read from a TOML file, which is data only."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from upturn.checks.arguments import known
from upturn.formulas.curve import CurveModel, noise_parameters, of_interest
from upturn.formulas.segments import Line
from upturn.model import toml

JEFFREYS = "Beta(0.5, 0.5)"

if TYPE_CHECKING:
    import pymc as pm

    from upturn.tables.curves import Curves


class Model(CurveModel):
    """A curve model: segments, a likelihood and priors, built in or from a model file.

    The expected score is mean(u) = base + (ceiling - base) s(u), with s(u) the chain of segments
    and base the floor parameter, or 0 where ``range`` is "zero".

    Attributes
    ----------
    name : str
    shape : str
        The shape class it stands for: flat, smooth, changepoint, inverse, u-shaped or humped.
    summary : str
        One line.
    segments : tuple of Segment
    range : str
        "floor" or "zero".
    likelihood : str
        Its name, or "auto", "robust" or "ar": by the kind of each curve.
    given : mapping
        The priors that the file or the command line gave; the rest are defaults.

    Examples
    --------
    >>> Model.read("hinge").parameters
    ('changepoint', 'height', 'rate', 'floor')
    """

    @staticmethod
    def names() -> list[str]:
        """The built-in models, in the order of the documentation."""
        return list(_built_in())

    @classmethod
    def read(cls, source: "str | Path | Model") -> Self:
        """A built-in model by name, or a model file by path.

        Raises
        ------
        DataError
            For an unknown name or an invalid file, with file, key and what was expected.
        """
        if isinstance(source, Model):
            return source  # type: ignore[return-value]
        text = str(source)
        if isinstance(source, Path) or text.endswith(".toml") or "/" in text:
            return cls.from_toml(toml.file_text(Path(source)), Path(source).name)
        known(text, cls.names(), kind="model", where="model")
        return cls.from_toml(_built_in()[text], f"{text}.toml")

    @classmethod
    def from_toml(cls, text: str, where: str) -> Self:
        """A model from the text of its file; messages begin with `where`."""
        table = toml.table_of(text, where)
        model = cls(**toml.fields_of(table, where))
        return model.with_priors(toml.priors_of(table, where), f"{where}, key 'priors'")

    def to_toml(self) -> str:
        """The model's file, with every prior spelled out.

        Those that the likelihood decides are comments where it is "auto": a floor that suits counts
        does not suit a continuous metric.
        """
        return toml.to_toml(self)

    def twin(self) -> Self:
        """The no-change twin, which is what is left of the model where nothing changes.

        The model cut to its first segment, a floor or a level. Of a model of one segment with a
        floor, that floor alone with the same prior; of any other that begins with a line, `flat`,
        whose level, if the line bends, has Jeffreys' prior, so that scores of 0 throughout are none
        that only a line can reach.
        """
        if len(self.segments) == 1 or isinstance(self.segments[0], Line):
            flat = type(self).read("chance" if self.range == "floor" else "flat")
            shared = (*flat.parameters, *noise_parameters())
            kept = {k: v for k, v in self.given.items() if k in shared and k != "level"}
            if self.changepoints and self.range != "floor":
                kept |= {"level": JEFFREYS}
            return replace(flat, likelihood=self.likelihood, given={**flat.given, **kept})
        cut = replace(self, name=f"{self.name}-unchanged", segments=self.segments[:1])
        return replace(cut, given=of_interest(cut, self.given))

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
        from upturn.sampling.nuts.to_pymc import to_pymc

        return to_pymc(self, curves)


@cache
def _built_in() -> Mapping[str, str]:
    """The text of each built-in's file by its name, sorted by the key `order`."""
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in _folder().iterdir()
        if entry.name.endswith(".toml")
    }
    order = {name: tomllib.loads(text)["order"] for name, text in texts.items()}
    return {name: texts[name] for name in sorted(texts, key=order.__getitem__)}


def _folder() -> Any:
    return files("upturn") / "models"
