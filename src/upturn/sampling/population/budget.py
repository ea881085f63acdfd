"""Budget: how much a curve may cost, by its model and by what is asked of it."""

from dataclasses import dataclass, replace

from upturn.sampling.density.target import Target


@dataclass(frozen=True)
class Budget:
    """How much a curve may cost.

    Attributes
    ----------
    level : int
        Budgets of different levels use different random numbers.
    prior, stage : int
        Points of an adaptation: from the prior, and at each stage.
    components, final_components : int
        Of the mixtures of the stages, and of the last one.
    stages : int
        The most there may be.
    rounds : tuple of int
        Points of each round of importance sampling, for one replicate.
    near : int
        Components for the interval before an observation, where the posterior may be narrow (see
        `intervals`).
    colder : int
        Stages of half the size beyond the posterior.
    widen : float
        Factor on the scale of the last mixture's components: the fewer particles it is fitted to,
        the wider.
    nodes : int
        Of the integral over a group's offset during adaptation, where nodes are not shifted.
    step : float
        Distance of the nodes afterwards (see `offsets.nodes_for`).
    """

    level: int
    prior: int
    stage: int
    components: int
    final_components: int
    stages: int
    rounds: tuple[int, ...]
    near: int = 0
    colder: int = 0
    widen: float = 1.25
    nodes: int = 13
    step: float = 1.5


# Smaller budgets gave posteriors that were too narrow, and nothing that said so: on GPT-3's
# three-digit addition they lost the thin neck of the ridge, 5 % of the posterior mass.
ORDINARY = Budget(0, 4096, 2048, 8, 24, 30, (8192, 8192, 16384), near=4, colder=3, widen=1.2)
# Where 1,000 draws or fewer are asked for, their own error hides what more points would say. (With
# as few points first under 4,000 draws, the sd of that addition's log rate was 2 % lower still.)
FEW = replace(ORDINARY, final_components=16, colder=0, rounds=(1024, 1024, 2048, 4096, 8192, 16384))
FEW_SIZE = 750.0
LARGE = Budget(1, 8192, 4096, 8, 24, 60, (8192, 8192, 16384, 32768), near=8, colder=3)
# Enough for up to three parameters, where quadrature confirms it. With 1,024 points a stage, 4 of
# 64 fits of a step to counts of thousands (open models, arithmetic_2dm, binomial) ended between the
# wrong two models, 1,008 nats too low and with nothing that said so.
LIGHT = Budget(0, 2048, 2048, 4, 8, 30, (512, 512, 512, 512, 1024, 2048, 4096))
LIGHT_DIMENSION = 3
# A level and its noise: most of the no-change twins, whose posteriors have one smooth mode.
LEAST = replace(LIGHT, prior=1024, stage=512, final_components=4)
LEAST_DIMENSION = 2
# Curves with groups cost thirty times as much a particle, and are long enough to have no necks.
GROUPED = Budget(0, 768, 384, 4, 8, 30, (512,) * 20)
GROUPED_LARGE = Budget(1, 2048, 1024, 4, 8, 30, (1024,) * 16, nodes=33, step=0.75)
# Where noise is correlated along runs, differences of neighbours say precisely where a run stands,
# and a mixture fitted on 33 nodes misses: see docs/decisions.md.
SERIAL_LARGE = replace(GROUPED_LARGE, final_components=16, nodes=97)
AFTER_SMC = Budget(2, 0, 0, 0, 24, 0, (8192, 8192, 16384), near=8)


def first(target: Target, size: float) -> Budget:
    """What a curve gets first, for an effective size over all replicates."""
    if target.grouped:
        return GROUPED
    if target.dimension <= LEAST_DIMENSION:
        return LEAST
    if target.dimension <= LIGHT_DIMENSION:
        return LIGHT
    return FEW if size <= FEW_SIZE else ORDINARY


def larger(target: Target) -> Budget:
    """What it gets then: more particles and components, or a likelihood with less noise."""
    if not target.grouped:
        return LARGE
    return SERIAL_LARGE if target.likelihood.plain is not None else GROUPED_LARGE
