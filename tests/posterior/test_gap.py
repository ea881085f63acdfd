"""The gap above a smallest scale that is far below the others."""

import numpy as np
import pandas as pd
import pytest

from upturn import read
from upturn.formulas.scaling import scaling_of
from upturn.model import Model
from upturn.posterior.criteria import Criteria, judged
from upturn.posterior.gap import Gap
from upturn.tables.curves import Curves


def _curves(*decades: list[float]) -> Curves:
    frames = [
        pd.DataFrame({
            "task": f"t{i}", "model": [f"m{k}" for k in range(len(x))], "score": 0.5,
            "trials": 100, "chance": 0.0, "flops": 10.0 ** np.array(x),
        })
        for i, x in enumerate(decades)
    ]  # fmt: skip
    return read(pd.concat(frames)).curves("flops")


@pytest.mark.parametrize(
    "decades",
    [
        [20.0, 21.0, 22.0, 23.0],
        [20.0, 21.0, 22.0, 26.0],  # the upper end is left as it is
        [20.0, 23.0, 26.0],
        [20.0, 26.0],
        [20.0, 22.0, 22.5, 24.5],  # as wide as the widest of the others
    ],
)
def test_scales_without_a_far_one_are_as_they_are(decades: list[float]) -> None:
    curves = _curves(decades)
    gap = Gap.of(curves)
    assert gap.shortened(curves) is curves
    u = np.linspace(0, 1, 7)[None]
    assert gap.fitted(u) is u


def test_scales_and_their_places_agree() -> None:
    curves = _curves([15.0, 21.0, 21.5, 22.0, 23.0, 24.0], [20.0, 21.0, 22.0, 23.0])
    gap = Gap.of(curves)
    near = gap.shortened(curves)
    np.testing.assert_allclose(near.x[0, 0, :2], [20.0, 21.0])
    np.testing.assert_array_equal(near.x[0, 1], curves.x[0, 1])
    np.testing.assert_allclose(gap.fitted(curves.u[0]), near.u[0], atol=1e-12)
    between = gap.fitted(np.array([[1 / 3], [1 / 3]]))  # half way up the gap
    np.testing.assert_allclose(between, [[1 / 8], [1 / 3]])


def test_functionals_are_of_the_scales_of_the_data() -> None:
    curves = _curves([14.0, 20.0, 21.0, 22.0, 23.0])
    step = {"floor": 0.0, "level": 0.8, "changepoint": 0.875, "overdispersion": 0.01}
    model = Model.read("step")
    flat = {name: np.full((1, 1), value) for name, value in step.items()}
    scaling = scaling_of(model, curves)
    found = judged(model, curves, flat, Criteria(), scaling, gap=Gap.of(curves))
    # on the axis of the shapes, 19 to 23, that is 22.5
    assert 14 + 9 * float(found.functionals.threshold[0, 0]) == pytest.approx(22.5, abs=0.06)
    assert found.sharp.all()
