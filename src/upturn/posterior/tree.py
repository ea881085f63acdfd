"""Tree: fits as an xarray.DataTree in ArviZ's schema, saved as NetCDF or Zarr.

The tree holds everything: data, draws, diagnostics, and the arguments of the fit as one JSON
string, so that a saved fit needs no original file. It is data only; nothing in it is executed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from upturn.tables.axis import MIX, Axis
from upturn.tables.curves import Curves

if TYPE_CHECKING:
    import xarray as xr

SCHEMA = 1
ATTRIBUTE = "upturn"
PER_OBSERVATION = ("response", "trials", "group", "run", "model", "family")
PER_CURVE = ("chance", "ceiling", "kind", "orientation")
DERIVED = ("changepoint_scale", "threshold_scale", "gain")
STATS = (
    "log_evidence",
    "log_evidence_se",
    "p_change",
    "p_change_se",
    "p_falls",
    "p_level",
    "khat",
    "ess",
    "rhat",
    "evaluations",
    "converged",
    "method",
)
STAT_TYPES: dict[str, type] = {
    **dict.fromkeys((*STATS, "log_evidence_twin"), np.float64),
    "evaluations": np.int64,
    "converged": np.int8,
    "method": np.int8,
}
WEIGHTS = "weights"


def build(
    curves: Curves,
    *,
    posterior: Mapping[str, np.ndarray],
    derived: Mapping[str, np.ndarray],
    stats: Mapping[str, np.ndarray],
    meta: Mapping[str, Any],
) -> "xr.DataTree":
    """Put a fit together as a tree.

    Parameters
    ----------
    curves : Curves
    posterior, derived : mapping of array (curve, chain, draw)
    stats : mapping of array (curve,)
    meta : mapping
        JSON-ready.
    """
    import xarray as xr

    chains, draws = next(iter(posterior.values())).shape[1:]
    labels = {name: ("curve", values) for name, values in curves.labels.items()}
    along_curve = {"curve": curves.name, **labels}
    sampled = {"chain": np.arange(chains), "draw": np.arange(draws), **along_curve}
    observed = _observed(curves)
    groups = {
        "posterior": _draws(posterior, sampled),
        "emergence": _draws(derived, sampled),
        "sample_stats": xr.Dataset({n: ("curve", v) for n, v in stats.items()}, along_curve),
        "observed_data": observed[["y"]],
        "constant_data": observed.drop_vars("y").merge(_constant(curves, along_curve)),
    }
    tree = xr.DataTree.from_dict(groups)
    tree.attrs[ATTRIBUTE] = encoded(curves, meta)
    return tree


def encoded(curves: Curves, meta: Mapping[str, Any]) -> str:
    """How a fit was made, and the names of its curves' labels, as a tree keeps them."""
    return json.dumps({"schema": SCHEMA, "labels": list(curves.labels), **meta}, sort_keys=True)


def add_log_likelihood(tree: "xr.DataTree", values: np.ndarray) -> "xr.DataTree":
    """A tree with the group that `arviz.loo` needs, of array (chain, draw, obs)."""
    return add_scores(tree, log_likelihood=values)


def add_scores(tree: "xr.DataTree", **groups: np.ndarray) -> "xr.DataTree":
    """A tree with more groups, of arrays (chain, draw, obs) along `observed_data`."""
    import xarray as xr

    along = {name: tree["observed_data"].coords[name].variable for name in ("obs", "curve")}
    datasets = {}
    for name, values in groups.items():
        chains, draws, _ = values.shape
        datasets[name] = xr.Dataset(
            {"y": (("chain", "draw", "obs"), values)},
            {"chain": np.arange(chains), "draw": np.arange(draws), **along},
        )
    return tree.assign({name: xr.DataTree(data) for name, data in datasets.items()})


def add_weights(
    tree: "xr.DataTree",
    *,
    draws: np.ndarray,
    weight: np.ndarray,
    log_evidence: np.ndarray,
    log_evidence_se: np.ndarray,
    **by_point: np.ndarray,
) -> "xr.DataTree":
    """A tree with the weights of a mix: those of each draw, and their posterior on its grid.

    Parameters
    ----------
    tree : xarray.DataTree
    draws : array (chain, draw, component)
        To be `weights` in the group `posterior`.
    weight : array (point, component)
    log_evidence, log_evidence_se : array (point, curve)
    **by_point : array (point,)
    """
    import xarray as xr

    posterior = tree["posterior"].to_dataset()
    components = [part.name for part in curves_of(tree).axes[0].parts]
    coordinates = {"component": np.array(components, dtype=np.str_)}
    curve = posterior.coords["curve"]
    grid = xr.Dataset(
        {
            "weight": (("point", "component"), weight),
            **{name: ("point", values) for name, values in by_point.items()},
            "log_evidence": (("point", "curve"), log_evidence),
            "log_evidence_se": (("point", "curve"), log_evidence_se),
        },
        {**coordinates, "curve": curve.variable},
    )
    with_draws = posterior.assign_coords(coordinates).assign(
        weights=(("chain", "draw", "component"), draws)
    )
    return tree.assign({"posterior": xr.DataTree(with_draws), WEIGHTS: xr.DataTree(grid)})


def _draws(values: Mapping[str, np.ndarray], coordinates: Mapping[str, Any]) -> "xr.Dataset":
    import xarray as xr

    dims = ("chain", "draw", "curve")
    return xr.Dataset({n: (dims, np.moveaxis(v, 0, 2)) for n, v in values.items()}, coordinates)


def _observed(curves: Curves) -> "xr.Dataset":
    """Real points only, one after the other: no padding."""
    import xarray as xr

    mask = curves.mask
    index = np.nonzero(mask)[0]
    flat = {name: _texts(getattr(curves, name)[mask]) for name in PER_OBSERVATION}
    return xr.Dataset(
        {
            "y": ("obs", curves.score[mask]),
            "x": (("component", "obs"), curves.x[:, mask]),
            "curve_index": ("obs", index),
            **{name: ("obs", values) for name, values in flat.items()},
        },
        {"obs": np.arange(len(index)), "curve": ("obs", curves.name[index])},
    )


def _constant(curves: Curves, along_curve: Mapping[str, Any]) -> "xr.Dataset":
    """What is known of each curve; its dimension is `curves`, since `curve` runs along obs here."""
    import xarray as xr

    values = {name: ("curves", _texts(getattr(curves, name))) for name in PER_CURVE}
    return xr.Dataset(
        {
            "limits": (("limit", "component", "curves"), curves.limits),
            **values,
            "curve_name": ("curves", curves.name),
            "flags": ("curves", np.array(["\n".join(f) for f in curves.flags], dtype=np.str_)),
            "axis_name": ("curves", np.array([a.name for a in curves.axes], dtype=np.str_)),
            "axis_transform": (
                "curves",
                np.array([_transform(a) for a in curves.axes], dtype=np.str_),
            ),
            **{f"label_{name}": ("curves", v) for name, v in curves.labels.items()},
        }
    )


def _transform(axis: Axis) -> str:
    """The transform of an axis; of a mix, those of its components too: "mix:log10,date"."""
    if not axis.components:
        return axis.transform
    return f"{axis.transform}:{','.join(part.transform for part in axis.components)}"


def _axis(name: str, transform: str) -> Axis:
    """The axis that has a name and a transform, as they were saved."""
    if not transform.startswith(f"{MIX}:"):
        return Axis(name, transform)
    mix = Axis.parse(name)
    transforms = transform.removeprefix(f"{MIX}:").split(",")
    parts = (replace(part, transform=t) for part, t in zip(mix.components, transforms, strict=True))
    return replace(mix, components=tuple(parts))


def _texts(values: np.ndarray) -> np.ndarray:
    return values.astype(np.str_) if values.dtype == object else values


def curves_of(tree: "xr.DataTree") -> Curves:
    """The curves that a tree was fitted to."""
    data = tree["constant_data"].to_dataset()
    index = data["curve_index"].values
    count = data.sizes["curves"]
    if (np.diff(index, prepend=0, append=count - 1) < 0).any():
        raise ValueError("points out of order")
    points = np.bincount(index, minlength=count)
    mask = np.arange(points.max(initial=0)) < points[:, None]
    padded = {}
    for name in PER_OBSERVATION:
        flat = data[name].values
        text = flat.dtype.kind in "UOT"
        empty = "" if text else (0.0 if flat.dtype.kind == "f" else -1)
        full = np.full(mask.shape, empty, dtype=object if text else flat.dtype)
        full[mask] = flat.astype(object) if text else flat
        padded[name] = full
    x = np.zeros((data.sizes["component"], *mask.shape))
    x[:, mask] = data["x"].values
    names = [str(n) for n in data["axis_name"].values]
    transforms = [str(t) for t in data["axis_transform"].values]
    return Curves(
        name=data["curve_name"].values.astype(np.str_),
        labels={str(n): data[f"label_{n}"].values.astype(np.str_) for n in meta_of(tree)["labels"]},
        axes=tuple(_axis(n, t) for n, t in zip(names, transforms, strict=True)),
        x=x,
        limits=data["limits"].values,
        mask=mask,
        flags=tuple(tuple(str(f).split("\n")) if f else () for f in data["flags"].values),
        notes=tuple(meta_of(tree).get("notes", ())),
        **padded,
        **{name: _native_text(data[name].values) for name in PER_CURVE},
    )


def _native_text(values: np.ndarray) -> np.ndarray:
    return values.astype(np.str_) if values.dtype.kind in "OT" else values


def part(tree: "xr.DataTree", curves: slice, observations: slice) -> "xr.DataTree":
    """The fit of some curves, whose points are those observations."""
    import xarray as xr

    some = {"curve": curves, "curves": curves, "obs": observations}
    groups = {
        name: group.to_dataset().isel({dim: some[str(dim)] for dim in group.dims if dim in some})
        for name, group in tree.children.items()
    }
    constant = groups["constant_data"]
    index = constant["curve_index"] - curves.start
    groups["constant_data"] = constant.assign(curve_index=index)
    chosen = xr.DataTree.from_dict(groups)
    chosen.attrs.update(tree.attrs)
    return chosen


def check_contents(tree: "xr.DataTree", curves: Curves, parameters: Iterable[str]) -> None:
    """Refuse a tree whose variables do not fit together.

    Raises
    ------
    KeyError, ValueError
    """
    first = tree["emergence"].to_dataset().sizes
    sizes = {"chain": first["chain"], "draw": first["draw"], "curve": len(curves)}
    observations = {"obs": int(curves.points.sum())}
    needed = (
        *(("posterior", name, sizes) for name in parameters),
        *(("emergence", name, sizes) for name in DERIVED),
        *(("sample_stats", name, {"curve": len(curves)}) for name in STATS),
        ("observed_data", "y", observations),
    )
    for group, name, wanted in needed:
        variable = tree[group].to_dataset()[name]
        if dict(variable.sizes) != wanted or tuple(variable.dims) != tuple(wanted):
            raise ValueError(f"{name} has the dimensions {dict(variable.sizes)}")
        if variable.dtype.kind not in "fi":
            raise ValueError(f"{name} holds no numbers")
    if any(axis.components for axis in curves.axes):
        _check_weights(tree, curves, {name: sizes[name] for name in ("chain", "draw")})
    if curves.group.dtype.kind != "i" or (curves.groups > curves.points).any():
        raise ValueError("groups out of range")


def _check_weights(tree: "xr.DataTree", curves: Curves, sampled: Mapping[str, int]) -> None:
    """Refuse a tree on a mix whose weights are missing or do not fit it."""
    axes = {"component": len(curves.axes[0].parts)}
    points = {"point": tree[WEIGHTS].to_dataset().sizes["point"]}
    for group, name, wanted in (
        ("posterior", "weights", {**sampled, **axes}),
        (WEIGHTS, "weight", {**points, **axes}),
        (WEIGHTS, "prior", points),
        (WEIGHTS, "log_evidence", {**points, "curve": len(curves)}),
        (WEIGHTS, "log_evidence_se", {**points, "curve": len(curves)}),
    ):
        variable = tree[group].to_dataset()[name]
        if dict(variable.sizes) != wanted or variable.dtype.kind != "f":
            raise ValueError(f"{name} has the dimensions {dict(variable.sizes)}")


def values(tree: "xr.DataTree", group: str, name: str) -> np.ndarray:
    """One variable of a group, as an array."""
    return tree[group].to_dataset()[name].to_numpy()


def meta_of(tree: "xr.DataTree") -> dict[str, Any]:
    """The arguments and versions of the fit."""
    meta: dict[str, Any] = json.loads(tree.attrs[ATTRIBUTE])
    return meta


# --- files ----------------------------------------------------------------------------------------
