"""Offsets of families, by the structure of the figure."""

import numpy as np
import pytest

from tests.support.pools import pool_of
from upturn.checks.errors import DataError
from upturn.show import plots


def by_gid(ax, gid):
    return next(artist for artist in ax.get_children() if artist.get_gid() == gid)


def test_a_family_a_row_the_earliest_at_the_top():
    done = pool_of(("flops", "params"))
    ax = plots.plot_families(done, axis="params", ci=0.8)
    rows = done.offsets(0.8)
    rows = rows[rows["axis"] == "params"].sort_values("offset")
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        f"{name} ({models})" for name, models in zip(rows["family"], rows["models"], strict=True)
    ]
    place, ends = np.arange(3), rows[["offset_low", "offset_high"]].to_numpy()
    drawn = np.array([path.vertices for path in by_gid(ax, "interval").get_paths()])
    np.testing.assert_allclose(drawn[:, :, 0], ends)
    np.testing.assert_allclose(by_gid(ax, "offset").get_offsets()[:, 0], rows["offset"])
    np.testing.assert_allclose(drawn[:, 0, 1], place)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_xlabel() == "earlier ← offset in parameters, decades → later"


def test_the_band_is_the_spread_of_families():
    done = pool_of()
    sigma = float(done.spread(0.9)["sigma_family"]["flops"])
    box = by_gid(plots.plot_families(done), "spread")
    assert (box.get_x(), box.get_width()) == pytest.approx((-sigma, 2 * sigma))


def test_an_axis_that_is_not_there():
    with pytest.raises(DataError, match="axis: expected a known axis, but got 'tokens'"):
        plots.plot_families(pool_of(), axis="tokens")
