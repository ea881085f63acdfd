"""Numbers as people write them. Scales have a form of their own, which the axis gives."""

import math


def probability(p: float) -> str:
    """A probability with two decimals, never one that claims to be certain.

    Examples
    --------
    >>> probability(0.9312), probability(0.99999), probability(0.0), probability(float("nan"))
    ('0.93', '> 0.99', '< 0.01', '')
    """
    if math.isnan(p):
        return ""
    if p > 0.99:
        return "> 0.99"
    return "< 0.01" if p < 0.01 else f"{p:.2f}"


def signed(value: float) -> str:
    """A difference with its sign: two decimals, fewer where it is large.

    Examples
    --------
    >>> signed(0.719), signed(-0.004), signed(31.26), signed(float("nan"))
    ('+0.72', '0.00', '+31.3', '')
    """
    if not math.isfinite(value):
        return "" if math.isnan(value) else f"{value:+}"
    size = abs(value)
    if size >= 1e5:
        return f"{value:+.1e}"
    text = f"{value:+.{0 if size >= 999.5 else 1 if size >= 9.995 else 2}f}"
    return text if float(text) else text[1:]


def percent(share: float) -> str:
    """A share in percent, with the decimals it needs.

    Examples
    --------
    >>> percent(0.9), percent(0.955)
    ('90 %', '95.5 %')
    """
    return f"{100 * share:.4g} %"
