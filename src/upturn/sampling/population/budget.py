"""Effort: how much a curve may cost, by its model and by what is asked of it."""

from dataclasses import dataclass, replace

from upturn.sampling.density.target import Target


@dataclass(frozen=True)
class Effort:
    """How much a curve may cost: points of an adaptation, components, stages, points a replicate.

    `near` are the components of the gap before an observation where a neck may be (see `gaps`), and
    `colder` the stages of half the size beyond the posterior: 0 where none are wanted. `widen` is a
    factor on the scale of the last mixture's components: the fewer particles it is fitted to, the
    wider. For curves with groups also the nodes over offsets while adapting, when they are not
    shifted, and the distance of those afterwards (see `offsets.nodes_for`).
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


# Smaller efforts gave posteriors that were too narrow, and nothing that said so: on GPT-3's
# three-digit addition they lost the thin neck of the ridge, 5 % of the posterior mass.
ORDINARY = Effort(0, 4096, 2048, 8, 24, 30, (8192, 8192, 16384), near=4, colder=3, widen=1.2)
# Where 1,000 draws or fewer are asked for, their own error hides what more points would say. (With
# as few points first under 4,000 draws, the sd of that addition's log rate was 2 % lower still.)
FEW = replace(ORDINARY, final_components=16, colder=0, rounds=(1024, 1024, 2048, 4096, 8192, 16384))
FEW_SIZE = 750.0
LARGE = Effort(1, 8192, 4096, 8, 24, 60, (8192, 8192, 16384, 32768), near=8, colder=3)
# Enough for up to three parameters, where quadrature confirms it. With 1,024 points a stage, 4 of
# 64 fits of a step to counts of thousands (open models, arithmetic_2dm, binomial) ended between the
# wrong two models, 1,008 nats too low and with nothing that said so.
LIGHT = Effort(0, 2048, 2048, 4, 8, 30, (512, 512, 512, 512, 1024, 2048, 4096))
LIGHT_DIMENSION = 3
# A level and its noise: most of the no-change twins, whose posteriors have one smooth mode.
LEAST = replace(LIGHT, prior=1024, stage=512, final_components=4)
LEAST_DIMENSION = 2
# Curves with groups cost thirty times as much a particle, and are long enough to have no necks.
GROUPED = Effort(0, 768, 384, 4, 8, 30, (512,) * 20)
GROUPED_LARGE = Effort(1, 2048, 1024, 4, 8, 30, (1024,) * 16, nodes=33, step=0.75)
# Where noise is correlated along runs, differences of neighbours say precisely where a run stands,
# and a mixture fitted on 33 nodes misses: see docs/decisions.md.
SERIAL_LARGE = replace(GROUPED_LARGE, final_components=16, nodes=97)
AFTER_SMC = Effort(2, 0, 0, 0, 24, 0, (8192, 8192, 16384), near=8)


def first(target: Target, size: float) -> Effort:
    """What a curve gets first, for an effective size over all replicates."""
    if target.grouped:
        return GROUPED
    if target.dimension <= LEAST_DIMENSION:
        return LEAST
    if target.dimension <= LIGHT_DIMENSION:
        return LIGHT
    return FEW if size <= FEW_SIZE else ORDINARY


def larger(target: Target) -> Effort:
    """What it gets then: more particles and components, or a likelihood with less noise."""
    if not target.grouped:
        return LARGE
    return SERIAL_LARGE if target.likelihood.plain is not None else GROUPED_LARGE
