"""Processes of this machine: same bytes, whoever is killed and when, and no port is opened."""

import multiprocessing
import os
import shutil
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import pytest

import upturn
from benchmarks.speed import interruptions
from tests.support.killed import work_and_die
from tests.support.stores import HOW, frame
from upturn.checks.errors import DataError
from upturn.questions.fit.batches import processes
from upturn.questions.fit.batches.store import Store


@pytest.fixture(scope="module")
def begun_once(whole, tmp_path_factory):
    """A run of which nothing is done."""
    path = tmp_path_factory.mktemp("begun") / "run.zarr"

    def stop(*_, **__):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "complete", stop)
        with pytest.raises(KeyboardInterrupt):
            upturn.fit(frame(), output=path, **HOW)
    return path


@pytest.fixture
def begun(begun_once, tmp_path):
    return shutil.copytree(begun_once, tmp_path / "run.zarr")


def ports():
    """What this user's processes listen on, as Linux says."""
    with open("/proc/net/tcp", encoding="ascii") as lines:
        rows = [line.split() for line in lines][1:]
    return {row[1] for row in rows if row[3] == "0A" and int(row[7]) == os.getuid()}


@pytest.mark.slow
def test_workers_of_this_machine(begun, whole):
    before, told = ports() if os.path.exists("/proc/net/tcp") else set(), []

    def progress(done, total):
        told.append((done, total))
        if before:
            assert ports() <= before

    found = upturn.fit(frame(), output=begun, resume=True, workers=2, progress=progress, **HOW)
    assert len(found.curves) == 5
    assert interruptions.files(begun) == interruptions.files(whole)
    assert told == sorted(told)
    assert told[-1] == (10, 10)
    assert "OMP_NUM_THREADS" not in os.environ or not multiprocessing.active_children()


# Moments at which a worker is killed: as it is about to do so for the first time.
MOMENTS = {
    "before it begins": "upturn.questions.fit.batches.store.Store.fit",
    "before it writes": "upturn.questions.fit.batches.store.Store.write",
    "while it writes a chunk": "os.replace",
    "before it says that it is done": "zarr.open_array",
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_worker_killed_at_a_chosen_moment(moment, begun, whole, tmp_path, monkeypatch):
    mark = tmp_path / "killed"
    monkeypatch.setattr(processes, "work", partial(work_and_die, moment, str(mark)))
    upturn.fit(frame(), output=begun, resume=True, workers=2, **HOW)
    assert mark.exists()
    assert interruptions.files(begun) == interruptions.files(whole)
    assert sorted(os.listdir(tmp_path)) == ["killed", "run.zarr"]


def test_a_batch_that_ends_every_worker(begun, monkeypatch):
    pools = []

    def broken(store, batches, workers):
        pools.append(batches)
        raise BrokenProcessPool
        yield

    monkeypatch.setattr(processes, "fitted", broken)
    with pytest.raises(DataError, match=r"got 3 times one that was killed \(0 of 3 batches done\)"):
        upturn.fit(frame(), output=begun, resume=True, workers=2, **HOW)
    assert len(pools) == processes.ATTEMPTS
