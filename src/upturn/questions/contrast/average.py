"""Average: the gain over all tasks, with an error that knows that they share their models.

Draws of tasks are independent of one another, as if each task had been answered by models of its
own. A technique may help some models more than others, on all tasks alike; what that leaves open is
read off the average without each of the models.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from upturn.arrays.types import Floats, Integers
from upturn.posterior.clusters import jackknife_error
from upturn.questions.contrast.task import GRID, Joint, Task
from upturn.sampling.density.pointwise import by_group
from upturn.sampling.density.target import Target
from upturn.sampling.particles.pareto import smoothed
from upturn.sampling.particles.weights import normalised
from upturn.tables.curves import Curves

DRAWS = 2000  # of the average
REWEIGHTED = 400  # draws of a task by which it is told what a model changes
LEVEL = 0.9  # of the interval that Student's t is matched at


def average_of(
    curves: Curves, joints: Sequence[Sequence[Joint]], tasks: Sequence[Task], seed: int
) -> tuple[Floats, Floats]:
    """Coordinates, and draws of the gain averaged over the tasks that reach there.

    The draws are stretched about their mean if their spread is less than the error by the jackknife
    over models (a model's scores on all tasks are left out at once) times what Student's t allows
    for the number of models.

    Parameters
    ----------
    curves : Curves
    joints : sequence of sequence of Joint
        Of each task.
    tasks : sequence of Task
    seed : int

    Returns
    -------
    x : array (place,)
    gain : array (place, draw)
    """
    x = np.linspace(curves.limits[0, 0].min(), curves.limits[1, 0].max(), GRID)
    rng = np.random.Generator(np.random.Philox(seed))
    models = {name: k for k, name in enumerate(sorted(set(curves.model[curves.mask].tolist())))}
    total, reaching = np.zeros((GRID, DRAWS)), np.zeros((GRID, 1))
    changes = np.zeros((len(models), GRID))
    for i, task in enumerate(tasks):
        low, high = curves.limits[:, 0, i]
        u = (x - low) / (high - low)
        inside = (u >= -1e-9) & (u <= 1 + 1e-9)
        place = np.clip(np.round(u * (GRID - 1)), 0, GRID - 1).astype(np.intp)
        drawn = rng.choice(len(task.weight), size=DRAWS, p=task.weight)
        total += np.where(inside[:, None], task.gain[place][:, drawn], 0.0)
        reaching += inside[:, None]
        few = drawn[: min(REWEIGHTED, DRAWS)]
        names, without = _without_models(curves.take([i]), joints[i], task, few)
        changes[[models[n] for n in names]] += np.where(inside, without[:, place], 0.0)
    reaching = np.maximum(reaching, 1)
    average = total / reaching
    error = jackknife_error(changes / reaching[:, 0]) * _wider(len(models))
    return x, _stretched(average, error)


def _without_models(
    curve: Curves, joints: Sequence[Joint], task: Task, drawn: Integers
) -> tuple[list[str], Floats]:
    """By how much the mean gain of a task changes without each of its models: (model, place).

    Draws are reweighted by the inverse likelihood of the two scores of a model (Gelman, Dey &
    Chang 1992; smoothed as by Vehtari et al. 2024).
    """
    pairs = int(curve.points[0]) // 2
    names: list[str] = curve.model[0, :pairs].tolist()
    density = np.empty((pairs, len(drawn)))
    for k in np.unique(task.joint[drawn]):
        here = task.joint[drawn] == k
        density[:, here] = _densities(curve, joints[k], task.draw[drawn[here]])
    gain = task.gain[:, drawn]
    mean = gain.mean(axis=1)
    distinct = list(dict.fromkeys(names))
    owner = np.array([distinct.index(name) for name in names])
    changes = np.empty((len(distinct), len(gain)))
    for m in range(len(distinct)):
        weights, _ = smoothed(-density[owner == m].sum(axis=0))
        changes[m] = gain @ normalised(weights) - mean
    return distinct, changes


def _densities(curve: Curves, joint: Joint, draws: Integers) -> Floats:
    """Log density of both scores of each pair under some draws of a joint model: (pair, draw)."""
    likelihood = joint.model.likelihood_for(str(curve.kind[0]))
    target = Target(joint.model, curve, likelihood)
    p = {name: joint.p[name][draws][None, None] for name in target.names}
    return by_group(target, 0, p, curve.group[0])


def _wider(models: int) -> float:
    """By how much Student's t of so many models is wider than the normal."""
    level = (1 + LEVEL) / 2
    return float(stats.t.ppf(level, max(models - 1, 1)) / stats.norm.ppf(level))


def _stretched(draws: Floats, error: Floats) -> Floats:
    """Draws (place, draw), stretched about their mean if their spread is below an error (place,).

    By one factor at all places, the root mean square of the ratios: at a single place the error
    rests on the few models there.
    """
    middle, spread = draws.mean(axis=1, keepdims=True), draws.std(axis=1)
    known = spread > 0
    ratio = np.square(error[known] / spread[known])
    factor = max(float(np.sqrt(ratio.mean())), 1.0) if known.any() else 1.0
    return middle + (draws - middle) * factor
