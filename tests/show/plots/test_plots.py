"""Figures by their structure: artists, labels, limits; never pixels."""

import sys
from subprocess import run

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from upturn import classify, fit
from upturn.checks.errors import DataError
from upturn.show import plots
from upturn.show.panels import panels
from upturn.show.plots.style import MARKERS, looks


def by_gid(ax, gid):
    return [artist for artist in ax.get_children() if artist.get_gid() == gid]


def ticks(ax):
    ax.figure.canvas.draw()
    low, high = sorted(ax.get_xlim())
    pairs = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    return {label.get_text(): float(place) for place, label in pairs if low <= place <= high}


@pytest.fixture(scope="module")
def classified(drawn):
    first = drawn.curves.take(slice(0, 4))
    return classify(first, models=["flat", "logistic", "step", "inverse"], draws=100)


# ---- plot_curve ----------------------------------------------------------------------------------


def test_a_curve_is_drawn_with_all_its_parts(drawn):
    ax = plots.plot_curve(drawn, "rises", ci=0.8)
    (panel,) = panels(drawn, np.array([0]), ci=0.8)
    assert ax.get_title(loc="left") == "rises"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training FLOPs", "score")
    assert ax.get_xscale() == "log"
    (mean,) = by_gid(ax, "expected")
    np.testing.assert_allclose(mean.get_xdata(), 10**panel.grid)
    np.testing.assert_array_equal(mean.get_ydata(), panel.expected)
    (band,) = by_gid(ax, "band")
    edge = band.get_paths()[0].vertices[:, 1]
    assert edge.min() == panel.expected_low.min()
    assert edge.max() == panel.expected_high.max()
    (density,) = by_gid(ax, "density")
    heights = density.get_paths()[0].vertices[:, 1]
    assert 0 < heights.max() < 0.5
    (chance,) = by_gid(ax, "chance")
    assert set(chance.get_ydata()) == {0.25}
    assert by_gid(ax, "not by") == []


def test_families_have_points_intervals_and_a_legend(drawn):
    ax = plots.plot_curve(drawn, "rises")
    points = by_gid(ax, "family")
    assert [len(line.get_xdata()) for line in points] == [9, 9]
    assert len({line.get_marker() for line in points}) == 2
    assert len({line.get_color() for line in points}) == 2
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["_theirs", "ours"]
    intervals = by_gid(ax, "interval")
    assert [len(each.get_segments()) for each in intervals] == [9, 9]
    for segment in intervals[0].get_segments():
        assert segment[0, 1] < segment[1, 1]


def test_what_has_not_turned_up_is_hatched_and_says_so(drawn):
    ax = plots.plot_curve(drawn, "never", axis="params")
    hatched, words = by_gid(ax, "not by")
    assert hatched.get_hatch()
    assert words.get_text().startswith("not by 1T (p ")


def test_a_score_without_trials_has_no_interval(drawn):
    ax = plots.plot_curve(drawn, "bleu")
    assert by_gid(ax, "interval") == []
    assert by_gid(ax, "chance") == []
    assert ax.get_ylim()[1] > 40


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        ("flops", {"10²⁰": 1e20, "10²¹": 1e21, "10²²": 1e22, "10²³": 1e23, "10²⁴": 1e24}),
        ("params", {"10\u202fB": 1e10, "100\u202fB": 1e11, "1\u202fT": 1e12}),
        ("perplexity", {"20": 20.0, "10": 10.0, "5": 5.0}),
    ],
)
def test_axes_are_in_native_units_and_capability_grows_to_the_right(drawn, axis, expected):
    ax = plots.plot_curve(drawn, "rises", axis=axis)
    assert ticks(ax) == pytest.approx(expected)
    left, right = ax.get_xlim()
    assert (left > right) == (axis == "perplexity")
    last = by_gid(ax, "family")[0].get_xdata()[-1]
    assert ax.transAxes.inverted().transform(ax.transData.transform((last, 0)))[0] > 0.9


def test_a_curve_is_drawn_in_the_axes_that_are_given(drawn):
    ax = Figure().add_subplot()
    assert plots.plot_curve(drawn, "rises", ax=ax) is ax
    assert plots.plot_forest(drawn, ax=Figure().add_subplot()).figure is not ax.figure


def test_names_are_text_and_no_formula(drawn):
    ax = plots.plot_curve(drawn, "_$x^$ </script>")
    title = ax._left_title
    assert title.get_text() == "_$x^$ </script>"
    assert not title.get_parse_math()
    ax.figure.canvas.draw()
    for label in plots.plot_forest(drawn).get_yticklabels():
        assert not label.get_parse_math()


def test_several_curves_are_no_curve(drawn):
    with pytest.raises(DataError, match="curve: expected one to draw, but got 5: 'rises"):
        plots.plot_curve(drawn)
    with pytest.raises(DataError, match="curve: expected a known curve, but got 'rise'"):
        plots.plot_curve(drawn, "rise")


# ---- the others ----------------------------------------------------------------------------------


def test_a_grid_has_a_row_for_each_task(drawn):
    figure = plots.plot_grid(drawn, ["rises", "never"])
    names = [ax.get_title(loc="left") for ax in figure.axes]
    assert names == ["rises"] * 3 + ["never"] * 3
    assert [ax.get_xlabel() for ax in figure.axes][3:] == [
        "training FLOPs", "parameters", "perplexity",
    ]  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["_theirs", "ours"]


def test_a_grid_of_one_axis_names_it_once(drawn):
    figure = plots.plot_grid(drawn, axis="flops")
    assert len(figure.axes) == 5
    assert {ax.get_xlabel() for ax in figure.axes} == {""}
    assert figure.get_supxlabel() == "training FLOPs"


def test_one_task_on_its_axes(drawn):
    figure = plots.plot_axes(drawn, "rises")
    titles = ["training FLOPs", "parameters", "perplexity"]
    assert [ax.get_xlabel() for ax in figure.axes] == titles
    assert figure.get_suptitle() == "rises · acc"
    with pytest.raises(DataError, match="expected one to draw, but got 5"):
        plots.plot_axes(drawn)


def test_a_forest_is_sorted_and_says_what_lies_beyond(drawn):
    ax = plots.plot_forest(drawn, axis="flops")
    names = [label.get_text() for label in ax.get_yticklabels()]
    frame = drawn.summary().iloc[:5]
    order = frame["scale"].to_numpy()
    place = {name.rpartition(" | ")[0]: i for i, name in enumerate(frame.index)}
    assert sorted(names) == sorted(place)
    scales = [order[place[name]] for name in names]
    assert scales == sorted(scales)
    assert names[-1] == "never"
    (beyond,) = [line for line in by_gid(ax, "beyond") if line.get_marker() == ">"]
    assert 4 in beyond.get_ydata()
    (dots,) = by_gid(ax, "scale")
    assert len(dots.get_offsets()) == np.isfinite(scales).sum() - (np.array(scales) == 0).sum()
    assert ax.yaxis_inverted()


def test_a_forest_is_coloured_by_a_label_and_has_published_points(drawn):
    ax = plots.plot_forest(drawn, axis="flops", by="metric", points={"rises": 1e22})
    boxes = [child for child in ax.get_children() if isinstance(child, Legend)]
    told = {text.get_text() for box in boxes for text in box.get_texts()}
    assert told == {"acc", "bleu", "as published"}
    (diamond,) = by_gid(ax, "published")
    assert diamond.get_xdata().tolist() == [1e22]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert diamond.get_ydata().tolist() == [names.index("rises")]
    assert len({tuple(each.get_facecolor()[0][:3]) for each in by_gid(ax, "scale")}) == 2
    with pytest.raises(DataError, match="points: expected a known task, but got 'rise'"):
        plots.plot_forest(drawn, points={"rise": 1e22})


def test_shapes_are_bars_that_fill_the_row(classified):
    ax = plots.plot_shapes(classified)
    assert [box.get_label() for box in ax.containers] == list(classified.classes)
    ends = np.array([[bar.get_x() + bar.get_width() for bar in box] for box in ax.containers])
    np.testing.assert_allclose(ends[-1], 1)
    (dots,) = by_gid(ax, "emergent")
    p = dots.get_xdata()
    assert (np.diff(p) <= 0).all()
    names = [label.get_text() for label in ax.get_yticklabels()]
    frame = classified.summary()
    told = dict(
        zip([n.rpartition(" | ")[0] for n in frame.index], frame["p_emergent"], strict=True)
    )
    np.testing.assert_allclose(p, [told[name] for name in names])


# ---- the choice of figure ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "panels_drawn"),
    [
        ({"curves": "rises | flops"}, 1),
        ({"curves": "rises"}, 3),
        ({"axis": "params"}, 5),
        ({"kind": "forest"}, 1),
        ({"kind": "curve", "curves": "rises", "axis": "params"}, 1),
        ({"where": ["metric=bleu"], "kind": "grid"}, 3),
    ],
)
def test_the_number_of_curves_suggests_a_figure(drawn, options, panels_drawn):
    assert len(plots.plot(drawn, **options).axes) == panels_drawn


def test_what_does_not_go_together_is_refused(drawn):
    with pytest.raises(DataError, match="by: expected it with a forest"):
        plots.plot(drawn, kind="grid", by="metric")
    with pytest.raises(DataError, match="kind: expected a known kind of figure"):
        plots.plot(drawn, kind="pie")


# ---- style and files -----------------------------------------------------------------------------


def test_no_figure_leaves_a_trace(drawn):
    before = dict(mpl.rcParams)
    plots.plot_curve(drawn, "rises")
    assert dict(mpl.rcParams) == before


def test_pyplot_is_not_loaded():
    code = "import sys, upturn.plots; print('matplotlib.pyplot' in sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_colours_differ_in_grey_and_markers_tell_the_rest():
    with plots.style():
        colours = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
        names = [str(i) for i in range(25)]
        pairs = {(look["color"], look["marker"]) for look in looks(names).values()}
    assert len(pairs) == 25
    grey = [np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in colours]
    assert max(grey) < 0.75  # on white paper
    neighbours = np.abs(np.diff(grey))
    assert neighbours.min() > 0.05
    assert len(set(MARKERS)) == 9


@pytest.mark.parametrize(
    ("name", "begins"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_a_figure_is_the_same_file_every_time(drawn, tmp_path, name, begins):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        plots.save(plots.plot_curve(drawn, "_$x^$ </script>").figure, tmp_path / folder / name)
    first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
    assert first.startswith(begins)
    assert first == second
    assert [file.name for file in (tmp_path / "one").iterdir()] == [name]


def test_a_mix_of_axes_has_no_unit_to_draw_in():
    frame = pd.DataFrame(
        {"task": "a", "model": list("vwxyz"), "score": [0.1, 0.1, 0.2, 0.5, 0.6], "trials": 100,
         "params": [1e8, 1e9, 2e9, 8e9, 2e10], "tokens": [1e10, 1e9, 1e11, 3e10, 1e12]}
    )  # fmt: skip
    mixed = fit(frame, axis="mix:params,tokens", draws=40, scatter="none")
    for kind in ("curve", "grid", "axes", "forest"):
        with pytest.raises(DataError, match="expected single axes to draw, but got mix:params"):
            plots.plot(mixed, kind=kind)


def test_another_ending_is_refused(drawn, tmp_path):
    with pytest.raises(DataError, match=r"expected a name that ends in \.svg, \.png or \.pdf"):
        plots.save(plots.plot_curve(drawn, "rises").figure, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []
