"""Model files: read, refused and written back."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.models import PARAMETERS, mean
from tests.support.priors import from_prior
from upturn.checks.errors import DataError
from upturn.formulas.likelihoods.registry import LIKELIHOODS
from upturn.model import Model
from upturn.model.toml import MAX_BYTES, TEXTS

HEAD = 'name = "mine"\nshape = "changepoint"\n'
HINGE = '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "rise"\n'


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '\ufeff# a byte order mark, as Windows editors write it\r\nname = "two steps"\r\n'
        'shape = "changepoint"\r\nlikelihood = "binomial"\r\n'
        '[[segments]]\r\nkind = "floor"\r\n[[segments]]\r\nkind = "level"\r\n'
        '[[segments]]\r\nkind = "level"\r\n[priors]\r\nlevel_2 = "Beta(4, 1)"\r\n',
        encoding="utf-8",
    )
    for source in (path, str(path)):
        model = Model.read(source)
        assert model.name == "two steps"
        assert model.summary == ""
        assert model.parameters == ("changepoint", "changepoint_2", "level", "level_2", "floor")
        assert model.given == {"level_2": "Beta(4, 1)"}
        assert model.likelihood_for("counts").name == "binomial"
    assert Model.read(model) is model


def test_a_line_may_name_its_link():
    chain = '[[segments]]\nkind = "line"\nlink = "logit"\n'
    assert Model.from_toml(HEAD + chain, "x").parameters == ("intercept", "slope", "floor")


def test_a_line_may_follow_a_rise():
    chain = HINGE + '[[segments]]\nkind = "line"\n'
    model = Model.from_toml(HEAD + chain, "x")
    p = from_prior(model, 256)
    assert np.isfinite(mean(model, p)).all()  # without a warning at s = 0, before the rise


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "mine.toml: expected a TOML file, but got: Invalid value"),
        ('{"name": "x"}', "mine.toml: expected a TOML file, but got: "),
        ("name = 'a'\nname = 'b'", "mine.toml: expected a TOML file, but got: "),
        ("x = " + "9" * 5000, "mine.toml: expected a TOML file, but got: "),
        ("x = " + "[" * 90_000, "mine.toml: expected a TOML file, but got: "),
        (
            HEAD + 'colour = "red"\n' + HINGE,
            "mine.toml: expected a known key, but got 'colour'; there are: 'name', 'shape', ",
        ),
        (HEAD + 'sumary = "x"\n' + HINGE, "but got 'sumary'; did you mean 'summary'?"),
        ('shape = "flat"\n' + HINGE, "mine.toml, key 'name': expected a text, but got None"),
        ('name = " "\nshape = "flat"\n' + HINGE, "key 'name': expected a text, but got ' '"),
        ('name = 3\nshape = "flat"\n' + HINGE, "mine.toml, key 'name': expected a text, but got 3"),
        ('name = "x"\n' + HINGE, "mine.toml, key 'shape': expected a text, but got None"),
        (
            'name = "x"\nshape = "wavy"\n' + HINGE,
            "mine.toml, key 'shape': expected a known shape, but got 'wavy'; there are: 'flat', "
            "'smooth', 'changepoint', 'inverse', 'u-shaped'",
        ),
        (
            HEAD + 'range = "ceiling"\n' + HINGE,
            "mine.toml, key 'range': expected a known range, but got 'ceiling'; there are: "
            "'floor', 'zero'",
        ),
        (
            HEAD + 'likelihood = "poisson"\n' + HINGE,
            "mine.toml, key 'likelihood': expected a known likelihood, but got 'poisson'",
        ),
        (HEAD + "summary = 3\n" + HINGE, "mine.toml, key 'summary': expected a text, but got 3"),
        (
            HEAD,
            "mine.toml, key 'segments': expected 1 to 8 tables [[segments]], but got None",
        ),
        (HEAD + "segments = []", "expected 1 to 8 tables [[segments]], but got []"),
        (HEAD + 'segments = "floor"', "expected 1 to 8 tables [[segments]], but got 'floor'"),
        (
            HEAD + '[[segments]]\nkind = "level"\n' * 9,
            "mine.toml, key 'segments': expected 1 to 8 tables [[segments]], but got [",
        ),
        (
            HEAD + "segments = [3]",
            "mine.toml, segment 1: expected a table with a key 'kind', but got 3",
        ),
        (HEAD + "[[segments]]\nkind = 3", "mine.toml, segment 1: expected a table with a key"),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "rize"',
            "mine.toml, segment 2: expected a known kind of segment, but got 'rize'; "
            "did you mean 'rise'? there are: 'floor', 'level', 'rise', ",
        ),
        (
            HEAD + '[[segments]]\nkind = "level"\ncolour = true',
            "mine.toml, segment 1, key 'colour': expected joined = true, but got True",
        ),
        (
            HEAD + '[[segments]]\nkind = "line"\ndown = "yes"',
            "mine.toml, segment 1, key 'down': expected down = true, but got 'yes'",
        ),
        (
            HEAD + '[[segments]]\nkind = "line"\nlink = "probit"',
            "mine.toml, segment 1, key 'link': expected down = true, but got 'probit'",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\nlink = "logit"',
            "mine.toml, segment 1, key 'link': expected no further key, but got 'logit'",
        ),
        (
            HEAD + '[[segments]]\nkind = "rise"',
            "mine.toml, segment 1: expected a kind that can begin a curve (floor, level, line, "
            "logistic, gompertz), but got 'rise'",
        ),
        (
            HEAD + '[[segments]]\nkind = "level"\njoined = true',
            "mine.toml, segment 1, key 'joined': expected a segment before it, but got the first",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "logistic"',
            "mine.toml, segment 2: expected a kind that can follow a changepoint (level, rise, "
            "ramp, line), but got 'logistic'",
        ),
        (
            HEAD + '[[segments]]\nkind = "floor"\n[[segments]]\nkind = "line"',
            "mine.toml, segment 2: expected a level, rise or ramp before a line, but got the "
            "floor, a share of 0, whose log odds no line leaves; begin with a level",
        ),
        (HEAD + 'priors = "x"\n' + HINGE, "mine.toml, key 'priors': expected a table [priors], "),
        (
            HEAD + HINGE + '[priors]\nslope = "Uniform(0, 1)"',
            "mine.toml, key 'priors': expected a known parameter, but got 'slope'",
        ),
        (
            HEAD + HINGE + "[priors]\nrate = 2.0",
            "mine.toml, key 'priors', 'rate': expected a prior in quotes, but got 2.0",
        ),
        (
            HEAD + HINGE + '[priors]\nheight = "Uniform(0, 2)"',
            "mine.toml, key 'priors', 'height': expected a prior within [0, 1], "
            "but got 'Uniform(0, 2)'",
        ),
        (
            HEAD + HINGE + '[priors]\nrate = "LogNormal(1, -2)"',
            "mine.toml, key 'priors', 'rate': expected a positive sd in LogNormal",
        ),
    ],
)
def test_a_wrong_file(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        Model.read(path)
    assert str(caught.value).startswith("mine.toml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 350


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = 'caf\xe9'", "expected UTF-8 text, but got other bytes"),
        ("name = 'x'".encode("utf-16"), "expected UTF-8 text, but got other bytes"),
        (b"#" * (MAX_BYTES + 1), "expected a model file below 100 KB, but got a larger one"),
    ],
)
def test_a_file_that_is_no_text(tmp_path, content, message):
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
        Model.read(path)


def test_a_file_that_is_not_there(tmp_path):
    for path, reason in [
        (tmp_path / "none.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b.toml", "embedded null byte"),
    ]:
        message = f"{path}: expected a readable model file, but got: {reason}"
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            Model.read(path)


def test_an_unknown_name():
    with pytest.raises(
        DataError,
        match=r"^model: expected a known model, but got 'hnige'; did you mean 'hinge'\? there are:",
    ):
        Model.read("hnige")
    with pytest.raises(DataError, match="No such file or directory"):
        Model.read("hnige.toml")


def same(one, other):
    """Whether two models mean the same: parts, parameters, priors under their likelihoods."""
    for key in (*TEXTS, "segments"):
        assert getattr(one, key) == getattr(other, key)
    assert one.parameters == other.parameters
    names = LIKELIHOODS if one.likelihood == "auto" else [one.likelihood]
    for likelihood in map(LIKELIHOODS.get, names):
        for scatter in (False, True):
            mine, theirs = (m.priors(likelihood, scatter=scatter) for m in (one, other))
            assert list(mine.items()) == list(theirs.items())


@pytest.mark.parametrize("likelihood", ["auto", *LIKELIHOODS])
@pytest.mark.parametrize("name", PARAMETERS)
def test_to_toml_and_back(name, likelihood):
    model = Model.read(name).with_likelihood(likelihood)
    again = Model.from_toml(model.to_toml(), "copy")
    same(again, model)
    assert again.to_toml() == model.to_toml()


def test_a_copied_file_does_not_carry_the_floor_of_counts_to_continuous_metrics():
    text = Model.read("hinge").to_toml()
    left = '# Left to the likelihood; for counts:\n# floor = "BetaMode(chance, 100) | Beta(1, 4)"\n'
    assert left in text
    assert "\nfloor" not in text
    given = Model.read("hinge").with_priors({"floor": "Beta(1, 9)"}).to_toml()
    assert '\nfloor = "Beta(1, 9)"\n' in given


NUMBER = st.floats(0.001, 0.999).map(repr)
PRIORS = st.fixed_dictionaries(
    {},
    optional={
        "changepoint": st.tuples(NUMBER, NUMBER).map(lambda t: f"Normal({t[0]}, {t[1]})"),
        "height": st.tuples(NUMBER, NUMBER).map(lambda t: f"Beta({t[0]}, {t[1]})"),
        "rate": NUMBER.map(lambda n: f"LogNormal(-{n}, {n})"),
        "floor": NUMBER.map(lambda n: f"BetaMode(chance, 1e2) | Beta({n}, 4)"),
        "nu": NUMBER.map(lambda n: f"Exponential({n})"),
        "scatter": NUMBER.map(lambda n: f"HalfNormal({n})"),
    },
)


@given(
    st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip),
    st.text(st.characters(codec="utf-8")),
    PRIORS,
)
@settings(max_examples=60)
def test_odd_names_and_given_priors_survive(name, summary, priors):
    plain = Model.read("hinge")
    model = Model(name, "changepoint", summary, plain.segments).with_priors(priors)
    again = Model.from_toml(model.to_toml(), "copy")
    same(again, model)


def test_names_with_quotes_newlines_and_more_survive():
    odd = 'a "b" \\ \'c\'\n\t\r\x00\x1f\x7f"""🙂\u2028,<script>'
    model = Model(odd, "flat", odd, Model.read("flat").segments, range="zero")
    assert Model.from_toml(model.to_toml(), "copy").name == odd
