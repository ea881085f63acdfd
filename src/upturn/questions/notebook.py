"""Results as notebooks show them."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class InNotebooks:
    """A result that a notebook shows as its verdict, if it has one, and its summary."""

    def summary(self) -> "pd.DataFrame":
        """The answer as a table."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        verdict = getattr(self, "verdict", "")
        sentence = f"<p>{escape(verdict)}</p>" if verdict else ""
        return sentence + self.summary().to_html(max_rows=60, float_format="{:.3g}".format)
