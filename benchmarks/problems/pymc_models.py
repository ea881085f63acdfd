"""Reference models in PyMC, written from the definitions and not from the library's code.

Nothing here calls upturn's segments, priors or likelihoods: two routes to one posterior are worth
comparing only where they share no code. Each model is one joint model with a `curve` dimension
over flat observations, or, given one curve, that curve's own. NUTS is run by nutpie, which
compiles once and then takes new data, so that compiling and sampling are timed apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

MARGIN = 1e-9  # expected scores keep this distance from 0 and 1
RHO = (1e-8, 0.999)  # beyond, only the binomial is left, or only 0 and n
FLOOR_CONCENTRATION = 100
SHIFT = 8  # Stirling's series is used from here on


@dataclass(frozen=True)
class Counts:
    """Counts of several curves, flat over observations.

    Attributes
    ----------
    u, successes, trials : array (obs,)
    curve : array (obs,)
        Which curve each observation belongs to.
    chance, ceiling : array (curve,)
        Chance is nan where unknown.
    """

    u: Floats
    successes: Floats
    trials: Floats
    curve: NDArray[np.int64]
    chance: Floats
    ceiling: Floats

    @classmethod
    def of(cls, curves: Any) -> "Counts":
        """The counts of `upturn.Curves`, with u computed here from the coordinates."""
        curve, point = np.nonzero(curves.mask)
        x = curves.x[0, curve, point]
        low, high = np.full(len(curves), np.inf), np.full(len(curves), -np.inf)
        np.minimum.at(low, curve, x)
        np.maximum.at(high, curve, x)
        return cls(
            u=(x - low[curve]) / (high - low)[curve],
            successes=curves.response[curve, point],
            trials=curves.trials[curve, point],
            curve=curve,
            chance=np.asarray(curves.chance, dtype=float),
            ceiling=np.where(np.isnan(curves.ceiling), 1.0, curves.ceiling),
        )

    def one(self, curve: int) -> "Counts":
        """One of the curves."""
        moment = self.curve == curve
        return Counts(
            self.u[moment],
            self.successes[moment],
            self.trials[moment],
            np.zeros(int(moment.sum()), dtype=np.int64),
            self.chance[[curve]],
            self.ceiling[[curve]],
        )

    def each(self) -> "list[Counts]":
        """The curves one by one."""
        return [self.one(i) for i in range(len(self.chance))]

    def padded(self) -> dict[str, Floats]:
        """What a program on rectangular arrays is given: (curve, point) or (curve,).

        Padding has no trials, and so a log likelihood of 0.
        """
        number = np.arange(len(self.u)) - np.searchsorted(self.curve, self.curve)
        shape = (len(self.chance), int(number.max(initial=0)) + 1)
        alpha, beta = self.floor_prior
        results = {"ceiling": self.ceiling, "floor_alpha": alpha, "floor_beta": beta}
        flat = {"u": self.u, "k": self.successes, "rest": self.trials - self.successes}
        for key, values in flat.items():
            results[key] = np.zeros(shape)
            results[key][self.curve, number] = values
        return results

    @property
    def floor_prior(self) -> tuple[Floats, Floats]:
        """Beta with mode at chance and concentration 100; Beta(1, 4) where chance is unknown."""
        unknown = np.isnan(self.chance)
        mode = np.where(unknown, 0.0, self.chance)
        rest = FLOOR_CONCENTRATION - 2
        return (
            np.where(unknown, 1.0, 1 + mode * rest),
            np.where(unknown, 4.0, 1 + (1 - mode) * rest),
        )

    def data(self) -> dict[str, Any]:
        """What a compiled model is given."""
        alpha, beta = self.floor_prior
        return {
            "u": self.u,
            "successes": self.successes,
            "failures": self.trials - self.successes,
            "of": self.curve,
            "ceiling": self.ceiling,
            "floor_alpha": alpha,
            "floor_beta": beta,
        }


# --- the curve models: the share of the way from floor to ceiling, and the priors -----------------

type Parameters = dict[str, Any]


def _hinge(pt: Any, u: Any, p: Parameters) -> Any:
    return p["height"] * -pt.expm1(-p["rate"] * pt.maximum(u - p["changepoint"], 0))


def _ramp(pt: Any, u: Any, p: Parameters) -> Any:
    return pt.minimum(p["slope"] * pt.maximum(u - p["changepoint"], 0), 1)


def _step(pt: Any, u: Any, p: Parameters) -> Any:
    return pt.switch(u > p["changepoint"], p["level"], 0)


def _logistic(pt: Any, u: Any, p: Parameters) -> Any:
    return p["height"] * pt.sigmoid((u - p["midpoint"]) / p["width"])


def _logit_line(pt: Any, u: Any, p: Parameters) -> Any:
    return pt.sigmoid(p["intercept"] + p["slope"] * u)


def _delayed_logit(pt: Any, u: Any, p: Parameters) -> Any:
    eta = pt.log(p["level"]) - pt.log1p(-p["level"])
    return pt.sigmoid(eta + p["slope"] * pt.maximum(u - p["changepoint"], 0))


def _chance(pt: Any, u: Any, p: Parameters) -> Any:
    return 0.0 * u


def _flat(pt: Any, u: Any, p: Parameters) -> Any:
    return p["level"] + 0.0 * u


SHARES: dict[str, Callable[[Any, Any, Parameters], Any]] = {
    "hinge": _hinge,
    "ramp": _ramp,
    "step": _step,
    "logistic": _logistic,
    "logit-line": _logit_line,
    "delayed-logit": _delayed_logit,
    "chance": _chance,
    "flat": _flat,
}

# A copy in words of what the model files say, which the tests compare with them
FLOOR = {"floor": "BetaMode(chance, 100) | Beta(1, 4)"}
NOISE = {"overdispersion": "HalfNormal(0.2)"}
PRIORS: dict[str, dict[str, str]] = {
    "hinge": {
        "changepoint": "Uniform(0, 1)",
        "height": "Uniform(0, 1)",
        "rate": "LogNormal(1, 1.2)",
        **FLOOR,
    },
    "ramp": {"changepoint": "Uniform(0, 1)", "slope": "LogNormal(0, 1)", **FLOOR},
    "step": {"changepoint": "Uniform(0, 1)", "level": "Uniform(0, 1)", **FLOOR},
    "logistic": {
        "height": "Uniform(0, 1)",
        "midpoint": "Normal(0.6, 0.4)",
        "width": "LogNormal(-2.3, 0.8)",
        **FLOOR,
    },
    "logit-line": {"intercept": "Normal(-3, 2)", "slope": "LogNormal(1.5, 1)", **FLOOR},
    "delayed-logit": {
        "changepoint": "Uniform(0, 1)",
        "level": "Beta(1, 19)",
        "slope": "LogNormal(2, 1)",
        **FLOOR,
    },
    "chance": FLOOR,
    "flat": {"level": "Uniform(0, 1)"},
}


def priors(name: str, *, binomial: bool = False) -> dict[str, str]:
    """The priors of a model's parameters, in words."""
    return PRIORS[name] if binomial else PRIORS[name] | NOISE


def parsed(text: str) -> tuple[str, tuple[float, ...]]:
    """A distribution's name and numbers."""
    name, _, rest = text.partition("(")
    return name, tuple(float(number) for number in rest.rstrip(")").split(","))


def log_rising(pt: Any, x: Any, k: Any) -> Any:
    """Log Gamma(x + k) - log Gamma(x), without the cancellation of subtracting the two.

    Gamma(x) = Gamma(x + 8) / (x (x + 1) … (x + 7)), and Stirling's series from x + 8 on. Where
    x >> k the difference of two log gammas near 10^13 would leave no digit of the answer, and the
    gradient that NUTS follows would be noise.
    """
    a = x + SHIFT
    b = a + k
    stirling = (a - 0.5) * pt.log1p(k / a) + k * (pt.log(b) - 1) + _series(b) - _series(a)
    low, high = x, x + k
    for i in range(1, SHIFT):
        low, high = low * (x + i), high * (x + k + i)
    return stirling + pt.log(low) - pt.log(high)


def _series(x: Any) -> Any:
    """1/12x - 1/360x^3 + 1/1260x^5 - 1/1680x^7, below 3e-12 off from 8 on."""
    q = 1 / (x * x)
    return (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q / 1680))) / x


def plain_rising(pt: Any, x: Any, k: Any) -> Any:
    """The same as PyMC's BetaBinomial has it, to compare speed and answers with."""
    return pt.gammaln(x + k) - pt.gammaln(x)


def build(
    name: str, counts: Counts, *, rising: Callable[..., Any] = log_rising, binomial: bool = False
) -> Any:
    """One joint PyMC model for all the curves.

    Parameters
    ----------
    name : str
        One of SHARES.
    counts : Counts
    rising : callable
        The form of the log rising factorial.
    binomial : bool
        The binomial likelihood in place of the beta-binomial.
    """
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(coords={"curve": np.arange(len(counts.chance))}) as model:
        given = {key: pm.Data(key, value) for key, value in counts.data().items()}

        of = given["of"]
        values = {}
        for parameter, text in priors(name, binomial=binomial).items():
            if parameter == "floor":
                numbers: tuple[Any, ...] = (given["floor_alpha"], given["floor_beta"])
                values[parameter] = pm.Beta(parameter, *numbers, dims="curve")
            else:
                distribution, numbers = parsed(text)
                values[parameter] = getattr(pm, distribution)(parameter, *numbers, dims="curve")
        p = {parameter: value[of] for parameter, value in values.items()}
        share, ceiling = SHARES[name](pt, given["u"], p), given["ceiling"][of]
        mean = p["floor"] + (ceiling - p["floor"]) * share if "floor" in p else ceiling * share
        mean = pt.clip(mean, MARGIN, 1 - MARGIN)
        k, rest = given["successes"], given["failures"]
        n = k + rest
        terms = pt.gammaln(n + 1) - pt.gammaln(k + 1) - pt.gammaln(rest + 1)
        if binomial:
            terms += k * pt.log(mean) + rest * pt.log1p(-mean)
        else:
            size = 1 / pt.clip(p["overdispersion"] ** 2, *RHO) - 1
            alpha, beta = mean * size, (1 - mean) * size
            terms += rising(pt, alpha, k) + rising(pt, beta, rest) - rising(pt, size, n)
        pm.Potential("log_likelihood", terms.sum())
    return model


def parameters(name: str, *, binomial: bool = False) -> tuple[str, ...]:
    """The names of a model's parameters."""
    return tuple(priors(name, binomial=binomial))


@dataclass(frozen=True)
class Run:
    """Draws (chain, draw, curve) by parameter, the seconds they took, gradients after tuning."""

    draws: dict[str, Floats]
    seconds: float
    divergences: int
    gradients: int


class Compiled:
    """A reference model compiled by nutpie, to be run on any data of any length.

    Attributes
    ----------
    seconds : float
        What compiling took.
    """

    def __init__(self, name: str, counts: Counts, **options: Any) -> None:
        import nutpie

        self.names = parameters(name, binomial=options.get("binomial", False))
        start = perf_counter()
        self._model = nutpie.compile_pymc_model(
            build(name, counts, **options), var_names=list(self.names)
        )
        self.seconds = perf_counter() - start

    def sample(
        self,
        counts: Counts,
        *,
        seed: int,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        cores: int = 2,
        **options: Any,
    ) -> Run:
        """Run NUTS on data with the number of curves that the model was compiled for."""
        import nutpie

        # what a model makes no use of, as `flat` of u, is not in the program
        used = {variable.name for variable in self._model.shared_var_keys}
        new = {name: value for name, value in counts.data().items() if name in used}
        model = self._model.with_data(**new)
        start = perf_counter()
        trace = nutpie.sample(
            model, draws=draws, tune=tune, chains=chains, cores=cores, seed=seed,
            progress_bar=False, save_warmup=False, **options,
        )  # fmt: skip
        seconds = perf_counter() - start
        posterior = trace["posterior"]
        results = {name: np.asarray(posterior[name].values, dtype=float) for name in self.names}
        stats = trace["sample_stats"]
        return Run(
            results,
            seconds,
            int(stats["diverging"].values.sum()),
            int(stats["n_steps"].values.sum()),
        )
