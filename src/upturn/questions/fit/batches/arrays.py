"""Arrays of a store: created empty in their full size, then written some curves at a time."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upturn.posterior.files import EVERY_CHUNK, write_zarr
from upturn.questions.fit.batches.survey import Layout, variables_of

if TYPE_CHECKING:
    import xarray as xr


def create(folder: Path, tree: "xr.DataTree", layout: Layout) -> None:
    """Create empty arrays of their full size, from those that xarray makes of a small fit."""
    write_zarr(tree, folder)
    for path, variable in (*variables_of(tree, drawn=False), *variables_of(tree, drawn=True)):
        if layout.grows(variable):
            remove(folder / path / "c")
            description = folder / path / "zarr.json"
            described = json.loads(description.read_bytes())
            described["shape"] = layout.shape(variable)
            described["chunk_grid"]["configuration"]["chunk_shape"] = layout.cut(variable)
            if (width := layout.widths.get(path)) is not None:
                described["data_type"]["configuration"]["length_bytes"] = 4 * width
            description.write_text(json.dumps(described, indent=2), encoding="utf-8")


def fill(
    folder: Path, variables: "Iterable[tuple[str, xr.Variable]]", curves: int, observations: int
) -> None:
    """Write variables of some curves, from these positions along curves and observations."""
    import zarr

    starts = {"curve": curves, "curves": curves, "obs": observations}
    root = zarr.open_group(folder, mode="r+", zarr_format=3)
    for path, variable in variables:
        if not starts.keys().isdisjoint(variable.dims):
            named: Any = root[path]
            array = named.with_config(EVERY_CHUNK)
            where = tuple(
                slice(starts[str(dim)], starts[str(dim)] + size) if dim in starts else slice(None)
                for dim, size in variable.sizes.items()
            )
            array[where] = variable.values.astype(array.dtype)


def remove(folder: Path) -> None:
    """Remove a folder of a store, where there is one."""
    if folder.exists():
        shutil.rmtree(folder)


def remove_half_written(store: Path) -> None:
    """Remove files that a killed process left: Zarr writes to such names, then renames."""
    for part in store.rglob("*.partial"):
        part.unlink(missing_ok=True)
