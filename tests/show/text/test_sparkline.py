import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.show.text.sparkline import sparklines


def drawn(scores, width=8, **columns):
    frame = pd.DataFrame(
        {
            "task": "t",
            "model": [f"m{i}" for i in range(len(scores))],
            "score": scores,
            "flops": 10.0 ** (20 + np.arange(len(scores))),
            **columns,
        }
    )
    (line,) = sparklines(upturn.read(frame).curves(), width)
    return line


def test_proportions_are_drawn_from_zero_to_the_ceiling():
    scores = np.arange(8) / 8
    assert str(drawn(scores)) == "▁▂▃▄▅▆▇█"
    assert str(drawn(scores / 2)) == "▁▁▂▂▃▃▄▄"
    assert str(drawn(scores / 2, ceiling=0.5)) == "▁▂▃▄▅▆▇█"
    assert str(drawn([0.0, 1.0], width=2)) == "▁█"


def test_a_stretch_without_a_model_is_a_dot():
    assert str(drawn([0.0, 0.5, 1.0], width=7)) == "▁··▅··█"


def test_a_stretch_holds_the_mean_of_its_models():
    assert str(drawn([0.0, 0.5, 1.0, 1.0], width=2)) == "▃█"


def test_scores_no_higher_than_chance_are_faint():
    line = drawn([0.2, 0.25, 0.3, 0.9], width=4, chance=0.25)
    assert (str(line), line.faint) == ("▂▃▃█", (True, True, True, False))
    assert drawn([0.0, 1.0], width=3).faint == (False, True, False)


def test_lower_is_better_is_drawn_upward():
    assert str(drawn([4.0, 3.0, 2.0, 1.0], width=4, metric="loss")) == "▁▃▆█"


def test_a_continuous_metric_is_drawn_over_its_range():
    assert str(drawn([-5.0, 5.0], width=2, metric="elo")) == "▁█"
    assert str(drawn([10.0, 20.0], width=2, metric="bleu", chance=0.0, ceiling=100.0)) == "▁▂"


@pytest.mark.parametrize("scores", [[0.0], [0.5, 0.5], [1.0, 1.0, 1.0]])
def test_constant_and_tiny_curves_are_drawn(scores):
    assert len(str(drawn(scores))) == 8


def test_each_curve_is_drawn_along_its_own_axis():
    frame = pd.DataFrame(
        {
            "task": "t",
            "model": list("ab"),
            "score": [0, 1.0],
            "params": [1e6, 9e6],
            "loss": [2.0, 3.0],
        }
    )
    curves = upturn.read(frame).curves(["params", "loss", "mix:params,loss"])
    assert [str(line) for line in sparklines(curves, 2)] == ["▁█", "█▁", "·▅"]
