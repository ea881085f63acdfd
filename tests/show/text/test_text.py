import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from upturn.show.text.text import one_line, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", r"two\nlines"),
        ("\r\t\0", r"\r\t\x00"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202edef", r"abc\u202edef"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
        ("👩\u200d🔬 علم", "👩\u200d🔬 علم"),
    ],
)
def test_one_line(text, shown):
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo…er"),
        ("longer", 4, "lo…r"),
        ("longer", 1, "…"),
        ("日本語の課題", 7, "日…課題"),
    ],
)
def test_shorten(text, width, shown):
    assert shorten(text, width) == shown


@given(st.text(), st.integers(1, 30))
def test_what_is_shortened_fits(text, width):
    assert cell_len(shorten(text, width)) <= width
