"""plot_calibration: a panel a check, the band and the ranks in it."""

import numpy as np
import pytest

import upturn
from tests.support.calibrations import made_up
from upturn.questions.calibrate import uniformity
from upturn.show import plots
from upturn.show.plots.style import BAND, CHANGE


@pytest.fixture(scope="module")
def found():
    even = (np.arange(100) + 0.5) / 100
    return made_up(even, np.tile([0.01, 0.99], 50), even[:30])


def by_gid(ax, gid):
    return [child for child in ax.get_children() if child.get_gid() == gid]


def test_a_panel_a_check_with_its_band_and_its_ranks(found):
    figure = plots.plot_calibration(found)
    assert [ax.get_title("left") for ax in figure.axes] == ["check 0", "check 1", "check 2"]
    for ax, check in zip(figure.axes, found.checks, strict=True):
        (band,), (ranks,) = by_gid(ax, "band"), by_gid(ax, "ranks")
        z, low, high = uniformity.envelope(len(check.pit), 1 - found.least_p)
        vertices = band.get_paths()[0].vertices[:, 1]
        assert vertices.max() == pytest.approx((high - z).max())
        assert vertices.min() == pytest.approx((low - z).min())
        x, y = ranks.get_data()
        inside = np.isin(x, z)
        assert ((y[inside] >= low - z - 1e-12) & (y[inside] <= high - z + 1e-12)).all() == (
            check.name not in found.wrong
        )


def test_what_fails_has_another_colour(found):
    right, wrong, _ = plots.plot_calibration(found).axes
    assert by_gid(wrong, "ranks")[0].get_color() == CHANGE
    assert by_gid(right, "ranks")[0].get_color() != CHANGE
    assert "not calibrated" in [text.get_text() for text in wrong.texts]
    assert BAND


def test_checks_can_be_chosen(found):
    figure = plots.plot_calibration(found, checks=["check 1"])
    assert [ax.get_title("left") for ax in figure.axes] == ["check 1"]
    with pytest.raises(upturn.DataError, match="did you mean 'check 1'"):
        plots.plot_calibration(found, checks=["chek 1"])
    with pytest.raises(upturn.DataError, match="expected 1 to 60"):
        plots.plot_calibration(found, checks=[])


def test_the_same_figure_is_the_same_file(found, tmp_path):
    for name in ("a.svg", "b.svg"):
        plots.save(plots.plot_calibration(found), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
