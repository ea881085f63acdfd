"""Stores: what is written batch by batch is, to the byte, the same whoever interrupts it."""

import errno
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from click.testing import CliRunner

ROOT = Path(__file__).parents[4]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))

import upturn
from benchmarks.speed import interruptions
from tests.support.stores import HOW, frame, refuse
from tests.support.tables import table
from upturn.checks.errors import DataError
from upturn.cli import main
from upturn.questions.fit.batches import begin, store
from upturn.questions.fit.job import Job


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A run that somebody interrupts in its second batch."""
    path = tmp_path / "run.zarr"
    error = interrupt(monkeypatch, path)
    assert len(error.__notes__) == 1
    assert "run.zarr': 1 of 3 batches done; continue with --resume" in error.__notes__[0]
    return path


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """One that nobody goes on with."""
    path = tmp_path_factory.mktemp("unfinished") / "run.zarr"
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, path)
    return path


def interrupt(monkeypatch, path, after=1, error=KeyboardInterrupt, **options):
    work, calls = Job.tree, []

    def stopping(self, curves, **how):
        calls.append(curves)
        if len(calls) > after:
            raise error
        return work(self, curves, **how)

    with monkeypatch.context() as patched:
        patched.setattr(Job, "tree", stopping)
        with pytest.raises(error) as caught:
            upturn.fit(frame(), output=path, **(HOW | options))
    return caught.value


def sampled(monkeypatch):
    """The names of the curves that are sampled from now on."""
    work, names = Job.tree, []

    def noting(self, curves, **how):
        names.extend(curves.name.tolist())
        return work(self, curves, **how)

    monkeypatch.setattr(Job, "tree", noting)
    return names


# --- what is in a store ---------------------------------------------------------------------------


def test_it_holds_what_a_fit_in_memory_holds(whole, tmp_path):
    fit = upturn.fit(frame(), draws=40, seed=4)
    fit.save(tmp_path / "fit.nc")
    assert upturn.load(whole).tree.identical(upturn.load(tmp_path / "fit.nc").tree)
    pd.testing.assert_frame_equal(upturn.load(whole).summary(), fit.summary())


def test_a_batch_is_a_chunk_of_every_variable_along_the_curves(whole):
    root = zarr.open_group(whole, mode="r")
    arrays = [array for _, array in root.members(max_depth=None) if isinstance(array, zarr.Array)]
    along = [a for a in arrays if {"curve", "curves"} & set(a.metadata.dimension_names)]
    assert len(along) > 30
    for array in along:
        names = array.metadata.dimension_names
        place = names.index("curve") if "curve" in names else names.index("curves")
        assert (array.shape[place], array.chunks[place]) == (5, 2)


@pytest.mark.parametrize("model", ["flat", pytest.param("takeoff", marks=pytest.mark.slow)])
def test_models_of_no_and_of_two_changepoints(model, tmp_path):
    some = frame().query("task in ('short', 't')")
    found = upturn.fit(some, model=model, output=tmp_path / "run.zarr", **HOW)
    memory = upturn.fit(some, model=model, draws=40, seed=4)
    pd.testing.assert_frame_equal(found.summary(), memory.summary())
    assert found.tree.identical(memory.tree)


# --- going on -------------------------------------------------------------------------------------


def test_what_is_done_is_kept(interrupted, whole, monkeypatch):
    assert interruptions.batches_done(interrupted) == 1
    names = sampled(monkeypatch)
    upturn.fit(frame(), output=interrupted, resume=True, **HOW)
    assert len(names) == 3
    assert interruptions.files(interrupted) == interruptions.files(whole)
    assert os.listdir(interrupted.parent) == ["run.zarr"]


def test_half_written_batches_are_removed(interrupted, whole):
    """Of a batch whose flag is not there nothing counts, whole, cut short or half renamed."""
    for name, rest in (("gain", b"half"), ("changepoint_scale", b"")):
        folder = interrupted / "emergence" / name / "c" / "0" / "0"
        (folder / "1").write_bytes(rest)
        (folder / "2.0123.partial").write_bytes(b"half")
    shutil.copytree(whole / "sample_stats", interrupted / "sample_stats", dirs_exist_ok=True)
    (interrupted / "sample_stats" / "method" / "c").mkdir(exist_ok=True)
    shutil.copy(whole / "sample_stats" / "ess" / "c" / "1", interrupted / "sample_stats/method/c/1")
    upturn.fit(frame(), output=interrupted, resume=True, **HOW)
    assert interruptions.files(interrupted) == interruptions.files(whole)


def test_interrupted_at_the_very_end(tmp_path, whole, monkeypatch):
    path = tmp_path / "run.zarr"
    with monkeypatch.context() as patched:
        patched.setattr(store.Store, "finish", refuse(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            upturn.fit(frame(), output=path, **HOW)
    names = sampled(monkeypatch)
    upturn.fit(frame(), output=path, resume=True, **HOW)
    assert not names
    assert interruptions.files(path) == interruptions.files(whole)


def test_what_is_finished_is_not_done_again(whole, monkeypatch):
    names = sampled(monkeypatch)
    before = interruptions.files(whole)
    found = upturn.fit(frame(), output=whole, resume=True, **HOW)
    assert (len(found.curves), names) == (5, [])
    assert interruptions.files(whole) == before


# --- what is refused ------------------------------------------------------------------------------


def test_an_unfinished_run_is_no_fit(unfinished):
    with pytest.raises(DataError, match=r"run.zarr': .*batches are missing; .*--resume"):
        upturn.load(unfinished)


def test_an_unfinished_run_is_not_thrown_away(unfinished):
    before = interruptions.files(unfinished)
    with pytest.raises(DataError, match=r"unfinished run \(1 of 3 batches done\).*--resume"):
        upturn.fit(frame(), output=unfinished, **HOW)
    assert interruptions.files(unfinished) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": 5}, "expected the seed of the run to be continued, but got 5 instead of 4"),
        ({"draws": 80}, "expected the draws of .* but got 80 instead of 40"),
        ({"batch": 3}, "expected the batch of .* but got 3 instead of 2"),
        ({"model": "step"}, "expected the model of .* but got another model, or another prior"),
        ({"priors": {"rate": "LogNormal(1, 1)"}}, "expected the priors of"),
        ({"results": frame(chance=0.2)}, "expected the table of .* but got another table"),
        ({"results": frame(model=[f"n{i}" for i in range(30)])}, "expected the table of"),
    ],
)
def test_another_run_is_not_continued(unfinished, options, message):
    before = interruptions.files(unfinished)
    how = {"results": frame(), **HOW, **options}
    with pytest.raises(DataError, match=f"run.zarr': {message}"):
        upturn.fit(output=unfinished, resume=True, **how)
    assert interruptions.files(unfinished) == before


def test_a_finished_fit_of_something_else_is_not_continued(whole):
    with pytest.raises(DataError, match="expected the seed of"):
        upturn.fit(frame(), output=whole, resume=True, **(HOW | {"seed": 9}))


def test_a_damaged_description(interrupted):
    (interrupted / "unfinished" / "zarr.json").write_text("{}")
    with pytest.raises(DataError, match="but got one that cannot be read"):
        upturn.fit(frame(), output=interrupted, resume=True, **HOW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resume": True}, "resume: expected an output"),
        ({"batch": 2}, "batch: expected an output"),
        ({"output": "run.nc"}, "expected a name that ends in .zarr"),
        ({"output": "run.zarr", "batch": 0}, "batch: expected 1 to 1,000,000, but got 0"),
        ({"output": "run.zarr", "batch": True}, "batch: expected a whole number, but got True"),
        ({"output": "run.zarr", "axis": "mix:flops,params"}, "but got a mix of axes"),
        ({"output": "run.zarr", "sampler": "nuts", "nuts": "pymc"}, "but got NUTS"),
    ],
)
def test_wrong_arguments(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    some = table(8).assign(params=np.random.default_rng(0).uniform(1e6, 1e9, 8))
    with pytest.raises(DataError, match=message):
        upturn.fit(some, draws=40, **options)
    assert not os.listdir(tmp_path)


# --- what was there before ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_finished_fit_is_replaced_when_the_new_one_is_finished(whole, tmp_path, monkeypatch):
    path = tmp_path / "run.zarr"
    shutil.copytree(whole, path)
    interrupt(monkeypatch, path, seed=8)
    assert len(os.listdir(tmp_path)) == 2
    (old,) = tmp_path.glob("run.zarr.replaced-*")
    assert interruptions.files(old) == interruptions.files(whole)
    found = upturn.fit(frame(), output=path, resume=True, **(HOW | {"seed": 8}))
    assert found.meta["seed"] == 8
    assert os.listdir(tmp_path) == ["run.zarr"]


def test_what_the_user_put_beside_it_stays(whole, tmp_path, monkeypatch):
    """Folders that are called almost as ours are, and one that the store itself names."""
    path = tmp_path / "run.zarr"
    shutil.copytree(whole, path)
    names = ["run.zarr.replaced", ".upturn.run.zarr.new", "run.zarr.replaced-0123abcd", "mine"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("mine")
    interrupt(monkeypatch, path, seed=8)
    description = path / "unfinished" / "zarr.json"
    described = json.loads(description.read_text())
    described["attributes"]["replaced"] = "mine"
    description.write_text(json.dumps(described))
    upturn.fit(frame(), output=path, resume=True, **(HOW | {"seed": 8}))
    for name in names:
        assert (tmp_path / name / "mine.txt").read_text() == "mine"


# --- two runs at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_another_process_is_at(resume, interrupted, whole):
    held = store.Store.held(interrupted)
    before = interruptions.files(interrupted)
    with pytest.raises(DataError, match="expected a run that no other process is writing, but got"):
        upturn.fit(frame(), output=interrupted, resume=resume, **HOW)
    assert interruptions.files(interrupted) == before
    held.release()
    upturn.fit(frame(), output=interrupted, resume=True, **HOW)
    assert interruptions.files(interrupted) == interruptions.files(whole)


def test_two_runs_that_begin_at_once(tmp_path, whole, monkeypatch):
    """The second finds nothing there when it begins, and a run when it is ready."""
    path, mark = tmp_path / "run.zarr", begin._mark

    def first(draft, run):
        monkeypatch.setattr(begin, "_mark", mark)
        upturn.fit(frame(), output=path, **HOW)
        shutil.copytree(path, tmp_path / "finished.zarr")
        mark(path, {"batch": 2, "curves": 5, "starts": [0, 1], "replaced": ""})
        mark(draft, run)

    monkeypatch.setattr(begin, "_mark", first)
    with pytest.raises(DataError, match="expected a run that no other process is writing"):
        upturn.fit(frame(), output=path, **(HOW | {"seed": 9}))
    assert interruptions.files(tmp_path / "finished.zarr") == interruptions.files(whole)
    assert sorted(os.listdir(tmp_path)) == ["finished.zarr", "run.zarr"]


def test_a_clock_that_was_set_back(interrupted, whole):
    for path in interrupted.rglob("*"):
        os.utime(path, (4e9, 4e9))  # in the year 2096
    upturn.fit(frame(), output=interrupted, resume=True, **HOW)
    assert interruptions.files(interrupted) == interruptions.files(whole)


def test_nothing_half_written_is_in_a_finished_store(interrupted, whole, monkeypatch):
    """A worker was killed while it wrote a chunk of a batch that another has fitted since."""
    write = store.Store.write

    def writing(self, batch, tree):
        write(self, batch, tree)
        for folder in (*self.path.glob("posterior/*/c"), self.path / "unfinished/done/c"):
            (folder / f"{batch}.0f3a.partial").write_bytes(b"half")

    monkeypatch.setattr(store.Store, "write", writing)
    upturn.fit(frame(), output=interrupted, resume=True, **HOW)
    assert interruptions.files(interrupted) == interruptions.files(whole)


# --- a full disk ----------------------------------------------------------------------------------


@pytest.mark.parametrize("writes", [pytest.param(0, marks=pytest.mark.slow), 8])
def test_a_full_disk(writes, tmp_path, whole, monkeypatch):
    """Whatever is written when the disk is full: the message, and the same store afterwards."""
    import zarr.storage._local as local

    put, count = local._put, []

    def refusing(*args, **how):
        if "run.zarr" in str(args[0]) and ".upturn" not in str(args[0]):
            count.append(args)
            if len(count) > writes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return put(*args, **how)

    path = tmp_path / "run.zarr"
    with monkeypatch.context() as patched:
        patched.setattr(local, "_put", refusing)
        with pytest.raises(DataError, match=r"No space left on device; .* continue with --resume"):
            upturn.fit(frame(), output=path, **HOW)
    upturn.fit(frame(), output=path, resume=True, **HOW)
    assert interruptions.files(path) == interruptions.files(whole)


def test_a_disk_that_is_full_from_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "rename", refuse(OSError(errno.ENOSPC, "full")))
    with pytest.raises(DataError, match="expected to write it, but got: full; make room"):
        upturn.fit(frame(), output=tmp_path / "run.zarr", **HOW)


# --- real processes -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_killed_at_random_moments():
    """Twice SIGKILL, once Ctrl-C; `python -m benchmarks kills` does it twenty times."""
    found = interruptions.run(kills=2, interrupts=1, seed=1)
    assert [row["identical"] for row in found["rows"]] == [True] * 3
    assert found["batches"] == 8
    assert [row["code"] for row in found["rows"][:2]] == [-9] * 2
    assert found["rows"][2]["code"] in {130, 0}  # 0: asked to end when there was nothing left to do
    assert np.ptp([row["batches"] for row in found["rows"]]) > 0  # moments differ


# --- the command line -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "resume: expected an output to write batches to"),
        (["--batch", "3", "-o", "fit.nc"], "batch: expected an output to write batches to"),
        (["--resume", "-o", "r.zarr", "--axis", "mix:flops,params"], "but got a mix of axes"),
    ],
)
def test_options_of_the_command_that_do_not_go_together(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["fit", "gpt3", "--where", "task=wic", *options])
    assert (done.exit_code, os.listdir(tmp_path)) == (2, [])
    assert message in done.stderr


def test_the_command_says_how_to_go_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Job, "tree", refuse(KeyboardInterrupt))
    done = CliRunner().invoke(main, ["fit", "gpt3", "--where", "task=wic", "-o", "run.zarr"])
    assert done.exit_code == 130
    assert done.stderr == (
        "Interrupted.\n'run.zarr': 0 of 1 batches done; continue with --resume\n"
    )
