"""The report's words, its payload, and that no text of a table is ever markup."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.posterior.outcomes import VERDICTS
from upturn.show.panels import panels
from upturn.show.report import answers, verdict, wording
from upturn.show.report.payload import UNITS, embedded, payload
from upturn.show.report.report import LEAN, Report
from upturn.tables.axis import Axis

STEADY = "grows from the first model"
FLOPS = Axis.parse("flops")
LIMITS = np.array([20.0, 24.0])
HOSTILE = ("<img src=x onerror=alert(1)>", "_$x^$ </script>")


VOID = {"meta", "input", "br", "rect", "line", "circle", "path"}


class Page(HTMLParser):
    """Elements, attributes and texts as a browser would find them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.inside = [], [], [], []
        self.scripts, self.strays = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.strays += [tag] if self.inside.pop() != tag else []

    def handle_data(self, data):
        (self.scripts if self.inside[-1:] == ["script"] else self.texts).append(data)


@pytest.fixture(scope="module")
def made(drawn):
    return upturn.report(drawn, ci=0.8)


@pytest.fixture(scope="module")
def page(made):
    return made.html()


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page)


# ---- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((22.3, 22.5), "2 – 3.2×10²²"),
        ((22.3, 23.5), "2×10²² – 3.2×10²³"),
        ((22.3, 22.3), "2×10²²"),
        ((22.3, np.inf), "2×10²² – beyond"),
        ((-np.inf, 22.3), "before – 2×10²²"),
        ((np.inf, np.inf), "beyond 10²⁴"),
        ((-np.inf, -np.inf), "before 10²⁰"),
        ((-np.inf, np.inf), "before 10²⁰, or beyond 10²⁴"),
    ],
)
def test_intervals_in_words(ends, expected):
    assert wording.interval_words(FLOPS, LIMITS, *ends) == expected


def test_perplexity_ends_where_it_is_least():
    axis = Axis.parse("perplexity")
    assert wording.scale_words(axis, np.array([-1.3, -0.5]), np.inf) == "beyond 3.2"


def given(*groups, title="t", x=22.0):
    return [
        answers.TaskAnswer(
            group=group, p=0.99, x=np.full(3, x + i), scale=f"s{i}", title=f"{title}{i}"
        )
        for i, group in enumerate(groups)
    ]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            ["emerges", "emerges", "probably emerges", "U-shaped", "undecided"],
            "2 of 5 tasks emerge over training FLOPs from a to b, each with a probability of 95 % "
            "or more; 1 more probably does.",
        ),
        (
            ["falls", "probably emerges", "probably emerges"],
            "None of the 3 tasks emerges over training FLOPs from a to b with a probability of "
            "95 % or more; 2 probably do.",
        ),
        (
            ["falls"],
            "The task does not emerge over training FLOPs from a to b with a probability of 95 % "
            "or more.",
        ),
        (
            ["emerges"],
            "The task emerges over training FLOPs from a to b, with a probability of 95 % or more.",
        ),
    ],
)
def test_the_headline_counts(groups, expected):
    told = verdict.verdict(given(*groups), FLOPS, "a to b", ("task", "tasks"), classified=True)
    assert told[0] == expected


def test_the_verdict_names_first_and_last_and_the_rest():
    groups = ["emerges", "emerges", STEADY, "falls", "falls", "not judged"]
    told = verdict.verdict(given(*groups), FLOPS, "a to b", ("task", "tasks"), classified=True)
    assert told[1].startswith("The first of them is t0, at s0 training FLOPs")
    assert "; the last is t1, at s1" in told[1]
    assert told[2] == (
        "Of the others, 1 improves from the first model on, without a flat stretch near chance; "
        "2 get worse; and 1 has no value on this axis."
    )


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["falls"], "It gets worse."),
        (["falls", "falls"], "Of them, 2 get worse."),
        (["probably emerges", "falls"], "Of the others, 1 gets worse."),
    ],
)
def test_what_does_not_emerge_is_told_as_well(groups, expected):
    told = verdict.verdict(given(*groups), FLOPS, "a to b", ("task", "tasks"), classified=True)
    assert told[-1] == expected


def test_a_perplexity_is_no_number_of_perplexities():
    axis = Axis.parse("perplexity")
    told = verdict.verdict(given("emerges"), axis, "9 to 3", ("task", "tasks"), classified=True)
    assert told[1].startswith("That is t0, at perplexity s0 (")


def test_every_verdict_has_a_sentence():
    assert {*VERDICTS[2:], answers.UNKNOWN} == set(verdict.OTHERS)


# ---- answers -------------------------------------------------------------------------------------


def test_every_task_has_its_verdict(made):
    found = {answer.title: answer for answer in made.answers}
    assert found["rises"].group == "emerges"
    verdicts = dict(zip(made.classification.curves.name, made.classification.verdicts, strict=True))
    assert found["never"].group == "not yet"
    assert made.verdict[0].startswith(("1 of 5 tasks emerges", "2 of 5 tasks emerge"))
    frame = made.classification.summary(0.8)
    told = frame["p_emergent"].to_dict()
    for answer in made.answers:
        name = str(made.fit.curves.name[answer.curves["flops"]])
        assert answer.p == told[name]
        assert answer.group == verdicts[name]
        assert set(answer.curves) == {"flops", "params", "perplexity"}
    p = [a.p for a in made.answers if a.group == STEADY]
    assert p == sorted(p, reverse=True)


def test_turns_are_those_of_the_fit(made):
    frame = made.fit.summary(0.8)
    for i, turn in enumerate(made.turns):
        axis = made.fit.curves.axes[i]
        native = frame["scale"].iloc[i]
        assert axis.value(turn.x) == pytest.approx(native)
        assert turn.p == frame["p_change"].iloc[i]


def test_without_shapes_verdicts_are_those_of_the_fit(drawn):
    made = upturn.report(drawn, shapes="none")
    assert made.classification is None
    assert made.verdict[-1] == verdict.ONE_MODEL
    first = answers.first_axis(made.fit)
    expected = [made.fit.verdicts[i] for i in first]
    assert sorted(answer.group for answer in made.answers) == sorted(expected)
    assert 'id="shapes"' not in made.html()


def test_lean_is_a_few_models_of_each_class():
    shapes = [upturn.Model.read(name).shape for name in LEAN]
    assert set(shapes) == {"flat", "smooth", "changepoint", "inverse"}


# ---- the page ------------------------------------------------------------------------------------


def test_every_name_is_text(page, parsed):
    assert "img" not in parsed.tags
    assert not [a for a in parsed.attributes if a[1].startswith("on")]
    text = "".join(parsed.texts)
    for name in HOSTILE:
        assert name in text
    assert parsed.tags.count("script") == 2
    assert "<img" not in page


def test_every_element_is_closed(parsed):
    assert parsed.strays == []
    assert parsed.inside == []


def test_it_loads_nothing(page, parsed):
    loading = {"src", "srcset", "action", "data", "poster", "background", "xlink:href"}
    assert not [a for a in parsed.attributes if a[1] in loading]
    assert not [a for a in parsed.attributes if a[1] == "href"]
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(parsed.tags)
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [v for _, name, v in parsed.attributes if name == "content" and "default" in v]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_it_says_how_it_was_made(made, page, parsed):
    text = " ".join("".join(parsed.texts).split())
    assert made.command in text
    for part in ("k̂", "effective draws", "R̂", "Python", f"upturn {upturn.__version__}"):
        assert part in text
    for answer in made.answers:
        assert answer.title in text
    assert page.count('<article class="task"') == 5
    assert len(re.findall(r"<svg[^>]*data-axis", page)) == 15


def test_notes_and_flags_are_listed(drawn, page):
    assert drawn.notes
    for note in drawn.notes:
        assert note in page


def test_the_payload_is_what_is_drawn(made):
    found = payload(made.fit, made.answers, made.ci)
    drawn = panels(made.fit, ci=made.ci, grid=33, bins=40)
    assert found["axes"] == ["flops", "params", "perplexity"]
    assert found["families"] == ["_theirs", "ours"]
    place = next(i for i, a in enumerate(made.answers) if a.title == "rises")
    axis, panel = found["panels"][place][0]
    one = drawn[made.answers[place].curves["flops"]]
    assert axis == 0
    ticks, heights, points, groups, band, hump, chance, never = panel
    assert found["ticks"][ticks] == [[0, "10²⁰"], [500, "10²²"], [1000, "10²⁴"]]
    zero, top = heights[0], heights[-1]
    step = (top[0] - zero[0]) / (float(top[1]) - float(zero[1]))
    np.testing.assert_allclose(points[1], one.score * step, atol=1.01)
    np.testing.assert_allclose(band[1], one.expected * step, atol=1.01)
    np.testing.assert_allclose(points[0], (one.x - 20) / 4 * UNITS, atol=0.51)
    assert chance == pytest.approx(0.25 * step, abs=1.01)
    assert (len(points[0]), len(groups), len(hump), never) == (18, 18, 40, 0)


def test_the_payload_survives_its_element():
    value = {"a": ["</script>", "<!--", "]]>", "\u2028", "&amp;"]}
    text = embedded(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_a_large_report_stays_small(made):
    """Less than 5 MB for 200 tasks on three axes: what each adds, times 200."""
    page = made.html()
    fewer = Report(made.fit, made.classification, made.ci, made.shapes, made.title)
    fewer.__dict__["answers"] = made.answers[:2]
    each = (len(page.encode()) - len(fewer.html().encode())) / 3
    assert len(page.encode()) + 200 * each < 5e6 / 2


def test_the_command_makes_the_same_report(made):
    assert made.command == (
        "upturn report pictures.csv --axis flops --axis params --axis perplexity --draws 400 "
        "--scatter none --seed 0 --ci 0.8 -o report.html"
    )


def test_it_is_written_whole_or_not_at_all(made, tmp_path):
    made.save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text("utf-8") == made.html()
    with pytest.raises(DataError, match=r"expected a name that ends in \.html or \.htm"):
        made.save(tmp_path / "a.pdf")
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


def test_bad_arguments_are_refused(drawn):
    with pytest.raises(DataError, match="shapes: expected a known choice of shapes"):
        upturn.report(drawn, shapes="some")
    with pytest.raises(DataError, match="ci: expected a probability"):
        upturn.report(drawn, ci=1.5)


def test_every_card_says_whether_the_curve_fits(drawn):
    report = Report(drawn, None, 0.9, "none", "title")
    assert len(report.fits) == len(report.answers)
    html = report.html()
    assert html.count("The curve fits.") == report.fits.count("the curve fits") > 0
    assert "Whether the scores lie about the curves" in html
