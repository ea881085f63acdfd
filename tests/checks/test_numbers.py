import pytest

from upturn.checks.numbers import percent, probability, signed


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.5, "0.50"),
        (0.99, "0.99"),
        (0.9901, "> 0.99"),
        (1.0, "> 0.99"),
        (0.01, "0.01"),
        (0.0099, "< 0.01"),
        (float("nan"), ""),
    ],
)
def test_probability(p, text):
    assert probability(p) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (-0.001, "0.00"),
        (-0.25, "-0.25"),
        (9.994, "+9.99"),
        (9.996, "+10.0"),
        (999.4, "+999.4"),
        (999.6, "+1000"),
        (2.5e7, "+2.5e+07"),
        (float("nan"), ""),
        (float("inf"), "+inf"),
    ],
)
def test_signed(value, text):
    assert signed(value) == text


def test_percent():
    assert [percent(share) for share in (0.5, 0.955, 1 / 3)] == ["50 %", "95.5 %", "33.33 %"]
