"""What the answer of every question can do: be printed for people and written for programs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from upturn.checks.errors import counted
from upturn.show.text import formats
from upturn.show.text.files import write_text
from upturn.show.text.sheet import Sheet, to_document

if TYPE_CHECKING:
    import pandas as pd


class Answer(ABC):
    """An answer as text.

    A subclass says what is printed (`sheet`), what the rows of CSV and of ``curves`` in JSON are
    (`records`), and what JSON has beside them (`parts`).
    """

    @property
    @abstractmethod
    def notes(self) -> Sequence[str]:
        """What a reader should know about the data and the answer."""

    @property
    @abstractmethod
    def failed(self) -> Sequence[str]:
        """Names of the curves whose answer is not reliable."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of curves that have an answer."""

    @abstractmethod
    def sheet(self, ci: float) -> Sheet:
        """What is printed for people."""

    @abstractmethod
    def records(self, ci: float) -> "pd.DataFrame":
        """One row a curve, its name first."""

    @abstractmethod
    def parts(self, ci: float) -> dict[str, object]:
        """What a JSON document has beside the curves."""

    def text(self, form: str, ci: float) -> str:
        """As json, csv or markdown."""
        if form == "markdown":
            return to_document(self.sheet(ci))
        if form == "csv":
            return formats.to_csv(self.columns(ci))
        return formats.to_json(self.records(ci), **self.parts(ci))

    def columns(self, ci: float) -> "pd.DataFrame":
        """The rows of CSV: the records, with further columns in some subclasses."""
        return self.records(ci)

    def save(self, path: Path, ci: float) -> None:
        """Write it in the format of the file's ending."""
        write_text(path, self.text(formats.ENDINGS[path.suffix.lower()], ci))


class Result(Protocol):
    """A result with notes and failures."""

    @property
    def notes(self) -> Sequence[str]: ...

    @property
    def failed(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class AnswerOf[T: Result](Answer):
    """The answer of a question from its result, with the notes and failures of the result.

    Attributes
    ----------
    result
        The result.
    order : sequence of int, optional
        The places of the curves to show, in this order; all by default.
    """

    result: T
    order: Sequence[int] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        notes = tuple(self.result.notes)
        if self.order is None or len(self.order) == self.count:
            return notes
        return (*notes, f"{len(self.order)} of {counted(self.count, 'curve')} shown")

    @property
    def failed(self) -> Sequence[str]:
        return self.result.failed

    def ordered(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """The rows to show of a table of all curves."""
        return frame if self.order is None else frame.iloc[list(self.order)]


def with_names(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A table of curves with their names, its index, as the first column."""
    out = frame.copy()
    out.insert(0, "curve", out.index.astype(str))
    return out


def rows_of(frame: "pd.DataFrame") -> list[dict[Any, Any]]:
    """The rows of a table, each with the names of the columns."""
    return frame.to_dict(orient="records")


def without_notes(meta: Mapping[str, Any]) -> dict[str, Any]:
    """How a result was made, without the notes, which are a part of their own."""
    return {key: value for key, value in meta.items() if key != "notes"}
