"""Left out: curves as they would be without some of their points."""

from dataclasses import replace

import numpy as np

from upturn.arrays.types import Booleans
from upturn.tables.curves import Curves, own_limits
from upturn.tables.flags import data_flags


def left_out(curves: Curves, drop: Booleans) -> Curves:
    """Curves as they would be had some points never been measured.

    Parameters
    ----------
    curves : Curves
    drop : array of bool (curve, point)
        At least one point of each curve is kept.
    """
    left = curves.without(drop)
    distinct = np.array(
        [len(set(g[m].tolist())) for g, m in zip(left.group, left.mask, strict=True)]
    )
    group = np.where((distinct > 1)[:, None], left.group, -1).astype(left.group.dtype)
    return replace(
        left,
        group=group,
        limits=own_limits(left.x, left.mask),
        flags=data_flags(left.x, left.mask, left.response, left.trials, left.kind),
    )
