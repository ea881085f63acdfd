"""Tables and options that tests of the command line share."""

from pathlib import Path

from tests.support.commands import HEADER

WRITTEN = Path(__file__).parents[1] / "tables" / "readers" / "evaluations"


FAST = ["--draws", "200", "--threads", "1"]


RISE = HEADER + "".join(
    f"addition,m{i},{score},200,{10.0 ** (20 + i / 2):.4g},{10.0 ** (8 + i / 4):.4g}\n"
    for i, score in enumerate([0.0, 0.01, 0.0, 0.005, 0.01, 0.3, 0.6, 0.8, 0.85])
)
