"""A real cluster of processes on this machine: same bits, whoever is killed."""

import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

import upturn
from benchmarks.speed import interruptions
from tests.support.stores import HOW, frame, refuse
from upturn.checks.errors import DataError
from upturn.questions.fit.batches import cluster as ours
from upturn.questions.fit.batches import work
from upturn.questions.fit.batches.store import Store
from upturn.questions.fit.job import Job

ALONE = {"host": "127.0.0.1", "dashboard_address": None}  # nobody else is to reach it


@pytest.fixture
def cluster():
    """Two workers, each a process of its own, and the scheduler."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **ALONE) as made:
        yield made


@pytest.mark.slow
@pytest.mark.needs("distributed")
def test_a_worker_killed_in_the_middle_loses_nothing(cluster, tmp_path, whole):
    path, told = tmp_path / "run.zarr", []

    def kill(done, total):
        if not told:
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
        told.append((done, total))

    upturn.fit(frame(), output=path, dask=cluster.scheduler_address, progress=kill, **HOW)
    assert interruptions.files(path) == interruptions.files(whole)
    assert told == sorted(told)
    assert told[-1] == (10, 10)


@pytest.fixture(scope="module")
def just_begun(tmp_path_factory):
    path = tmp_path_factory.mktemp("begun") / "run.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Job, "tree", refuse(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            upturn.fit(frame(), output=path, **HOW)
    return path


@pytest.fixture
def begun(just_begun, tmp_path):
    """A run of which no batch is done."""
    return shutil.copytree(just_begun, tmp_path / "run.zarr")


def test_a_batch_on_a_worker(begun, whole):
    """What a worker does, in this process; what is done already is not done again."""
    for batch in (2, 0, 1, 0):
        assert work.work(os.fspath(begun), batch) == batch
    Store.open(begun).finish()
    assert interruptions.files(begun) == interruptions.files(whole)


@pytest.mark.needs("distributed")
def test_a_lost_scheduler(begun):
    from distributed import LocalCluster

    made = LocalCluster(n_workers=1, processes=False, protocol="tcp", **ALONE)
    with made, pytest.raises(DataError, match=r"expected workers that live .* with --resume"):
        upturn.fit(
            frame(), output=begun, resume=True, dask=made.scheduler_address,
            progress=lambda *_: made.close(), **HOW
        )  # fmt: skip
    assert 0 not in Store.open(begun).missing()


@pytest.mark.needs("distributed")
def test_batches_that_end_every_worker(begun):
    from distributed import KilledWorker

    store = Store.open(begun)
    with (
        pytest.raises(DataError, match=r"died while .* \(0 of 3 batches done\); see"),
        ours.surviving(store),
    ):
        raise KilledWorker("batch", SimpleNamespace(address="tcp://w:1"), 3)


@pytest.mark.needs("distributed")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nothing://here", "tcp://"])
def test_no_scheduler(begun, monkeypatch, address):
    monkeypatch.setattr(ours, "PATIENCE", 0.5)
    with pytest.raises(DataError, match=f"dask: expected a scheduler .* at '{address}', but got"):
        upturn.fit(frame(), output=begun, resume=True, dask=address, **HOW)


@pytest.mark.needs("distributed")
def test_certificates_of_dasks_configuration_are_used(begun, monkeypatch):
    import dask
    import distributed

    seen = []

    def client(address, security, **_):
        seen.append((address, security.tls_ca_file, security.require_encryption))
        raise OSError("as far as this test goes")

    monkeypatch.setattr(distributed, "Client", client)
    tls = {
        "distributed.comm.tls.ca-file": "ca.pem", "distributed.comm.require-encryption": True,
    }  # fmt: skip
    with dask.config.set(tls), pytest.raises(DataError, match="as far as this test goes"):
        upturn.fit(frame(), output=begun, resume=True, dask="tls://a:1", **HOW)
    assert seen == [("tls://a:1", "ca.pem", True)]


def test_other_versions_on_a_worker(begun, monkeypatch):
    monkeypatch.setattr(work, "version", lambda name: "0.1")
    with pytest.raises(DataError, match=r"expected workers with numba .*, but got 0\.1; install"):
        work.work(os.fspath(begun), 0)


def test_dask_is_not_installed(begun, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r"dask: expected Dask .* pip install 'upturn\[distr"):
        upturn.fit(frame(), output=begun, resume=True, dask="tcp://a:1", **HOW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers: expected 1 to 4,096, but got 0"),
        ({"dask": 8786}, "dask: expected an address"),
        ({"dask": "tcp://a:1", "workers": 2}, "workers: expected them or a scheduler"),
        ({"output": None, "workers": 2}, "workers: expected an output to write batches to"),
    ],
)
def test_wrong_arguments(options, message, tmp_path):
    with pytest.raises(DataError, match=message):
        upturn.fit(frame(), **{"output": tmp_path / "run.zarr", **options})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that vouches for itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the program openssl, to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=upturn", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.mark.slow
@pytest.mark.needs("distributed")
def test_a_cluster_with_certificates(begun, whole, certificate, monkeypatch):
    """Who has them fits there, with the same bytes; who has not is turned away."""
    import dask
    from distributed import LocalCluster, Security

    cert, key = certificate
    pairs = {f"tls_{who}_{part}": path for who in ("scheduler", "worker", "client")
             for part, path in (("cert", cert), ("key", key))}  # fmt: skip
    security = Security(tls_ca_file=cert, require_encryption=True, **pairs)
    ours_only = {
        "distributed.comm.tls.ca-file": cert,
        "distributed.comm.tls.client.cert": cert,
        "distributed.comm.tls.client.key": key,
    }
    made = LocalCluster(n_workers=1, processes=False, protocol="tls", security=security, **ALONE)
    with made:
        assert made.scheduler_address.startswith("tls://")
        how = HOW | {"dask": made.scheduler_address, "output": begun, "resume": True}
        monkeypatch.setattr(ours, "PATIENCE", 2.0)
        with pytest.raises(DataError, match="dask: expected a scheduler with a worker at"):
            upturn.fit(frame(), **how)
        monkeypatch.setattr(ours, "PATIENCE", 60.0)
        with dask.config.set(ours_only):
            upturn.fit(frame(), **how)
    assert interruptions.files(begun) == interruptions.files(whole)
