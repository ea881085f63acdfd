"""How many processors this process may use."""

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of a period, or "max"


def usable() -> int:
    """Those it may run on (its affinity), and no more than a container's share of time is worth."""
    may = getattr(os, "sched_getaffinity", None)
    count = len(may(0)) if may is not None else os.cpu_count() or 1
    return max(1, min(count, _quota()))


def _quota() -> int:
    try:
        share, period = QUOTA.read_text("ascii").split()
        return math.ceil(int(share) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # none, or "max"
        return os.cpu_count() or 1
