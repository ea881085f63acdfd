"""Held: a fit in memory, before it becomes a tree."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.posterior import tree as trees
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Held:
    """The arrays of a fit, as they were computed.

    Loading xarray takes a fifth of a second, which a fit that is only printed does not need.

    Attributes
    ----------
    given : Curves
    posterior, emergence : mapping of array (curve, chain, draw)
    sample_stats : mapping of array (curve,)
    made : mapping
        How the fit was made, JSON-ready.
    """

    given: Curves
    posterior: Mapping[str, np.ndarray]
    emergence: Mapping[str, np.ndarray]
    sample_stats: Mapping[str, np.ndarray]
    made: Mapping[str, Any]

    def tree(self) -> "xr.DataTree":
        """The tree that is saved."""
        return trees.build(
            self.given,
            posterior=self.posterior,
            derived=self.emergence,
            stats=self.sample_stats,
            meta=self.made,
        )

    @cached_property
    def meta(self) -> dict[str, Any]:
        """`trees.meta_of` of the tree."""
        meta: dict[str, Any] = json.loads(trees.encoded(self.given, self.made))
        return meta

    @cached_property
    def curves(self) -> Curves:
        """`trees.curves_of` the tree."""
        return replace(self.given, notes=tuple(self.meta.get("notes", ())))
