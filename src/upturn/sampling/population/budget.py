"""Budget: how many evaluations a curve may cost, by its model and the draws requested."""

from dataclasses import dataclass, replace

from upturn.sampling.density.target import Target


@dataclass(frozen=True)
class Budget:
    """The sizes of all stages of sampling a curve.

    Attributes
    ----------
    level : int
        Budgets of different levels use different random numbers.
    prior, stage : int
        Particles of an adaptation: from the prior, and at each stage.
    components, final_components : int
        Components of the mixtures of the stages, and of the last one.
    stages : int
        The largest number of stages.
    rounds : tuple of int
        Particles of each round of importance sampling, for one replicate.
    near : int
        Components for the interval before an observation, where the posterior may be narrow (see
        `intervals`).
    colder : int
        Stages of half the size at colder temperatures than the posterior's.
    widen : float
        Factor on the scale of the last mixture's components; larger if it is fitted to few
        particles.
    nodes : int
        Of the integral over a group's offset during adaptation, with nodes that are not shifted.
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


# Smaller budgets gave posteriors that were too narrow, without a warning by any diagnostic: on
# GPT-3's three-digit addition they missed the narrow end of the ridge, 5 % of the posterior mass.
ORDINARY = Budget(0, 4096, 2048, 8, 24, 30, (8192, 8192, 16384), near=4, colder=3, widen=1.2)
# For at most 1,000 draws, whose own error exceeds what more particles would improve. (With this
# budget and 4,000 draws, the sd of that addition's log rate was another 2 % too low.)
FEW = replace(ORDINARY, final_components=16, colder=0, rounds=(1024, 1024, 2048, 4096, 8192, 16384))
FEW_SIZE = 750.0
LARGE = Budget(1, 8192, 4096, 8, 24, 60, (8192, 8192, 16384, 32768), near=8, colder=3)
# Enough for up to three parameters, where quadrature confirms it. With 1,024 points a stage, 4 of
# 64 fits of a step to counts of thousands (open models, arithmetic_2dm, binomial) ended between the
# wrong two models, 1,008 nats too low, without a warning by any diagnostic.
LIGHT = Budget(0, 2048, 2048, 4, 8, 30, (512, 512, 512, 512, 1024, 2048, 4096))
LIGHT_DIMENSION = 3
# A level and its noise: most of the no-change twins, whose posteriors have one smooth mode.
LEAST = replace(LIGHT, prior=1024, stage=512, final_components=4)
LEAST_DIMENSION = 2
# With groups a particle costs thirty times as much, and curves are long: no narrow ridges.
GROUPED = Budget(0, 768, 384, 4, 8, 30, (512,) * 20)
GROUPED_LARGE = Budget(1, 2048, 1024, 4, 8, 30, (1024,) * 16, nodes=33, step=0.75)
# With noise correlated along runs, differences of neighbours determine a run's offset precisely,
# and a mixture fitted on 33 nodes misses the posterior: see docs/decisions.md.
SERIAL_LARGE = replace(GROUPED_LARGE, final_components=16, nodes=97)
AFTER_SMC = Budget(2, 0, 0, 0, 24, 0, (8192, 8192, 16384), near=8)


def first(target: Target, size: float) -> Budget:
    """The first budget of a curve, for an effective size over all replicates."""
    if target.grouped:
        return GROUPED
    if target.dimension <= LEAST_DIMENSION:
        return LEAST
    if target.dimension <= LIGHT_DIMENSION:
        return LIGHT
    return FEW if size <= FEW_SIZE else ORDINARY


def larger(target: Target) -> Budget:
    """The second budget: more particles and components, or a likelihood with less noise."""
    if not target.grouped:
        return LARGE
    return SERIAL_LARGE if target.likelihood.plain is not None else GROUPED_LARGE
