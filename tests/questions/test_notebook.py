"""Results as notebooks show them: the verdict and the summary, with names escaped."""

from tests.support.calibrations import made_up
from tests.support.pools import pool_of


def test_a_notebook_shows_the_verdict_and_the_summary():
    calibration = made_up([(i + 0.5) / 100 for i in range(100)])
    html = calibration._repr_html_()
    assert html.startswith("<p>Calibrated: ")
    assert "check 0" in html
    assert pool_of()._repr_html_().startswith("<table")


def test_names_are_no_markup():
    pool = pool_of()
    pool.parts[0].pooled.curves.name[0] = "<img src=x>"
    assert "<img" not in pool._repr_html_()
