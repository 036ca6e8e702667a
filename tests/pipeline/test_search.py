"""Search jobs that are killed in every way: the count is exact, no MLflow run is left open or duplicated."""

import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from searching import (
    EMBEDDED,
    INTERRUPTED,
    Stores,
    check,
    finish,
    kill_group,
    prepare,
    start,
    wait_for,
    workers_of,
    write_search,
)

from pipeline import search
from sentiment_rnn.errors import UserError


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Runs a search in this process, with a single slot; its output."""

    def run(folder: Path, stores: Stores) -> str:
        write_search(folder, workers=1)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", stores.uri(folder))
        monkeypatch.setenv("OPTUNA_STORAGE", stores.storage(folder))
        search.main("bilstm")
        return capsys.readouterr().out

    return run


def test_a_search_resumes_after_kills_of_a_worker_the_driver_and_the_group(tokens, tmp_path, run_here):
    n_trials = 12
    folder = prepare(tmp_path, tokens, n_trials=n_trials, seed=11)

    driver = start(folder)
    assert "2 workers" in wait_for(driver, "trial 0: complete")
    workers_of(driver)[0].kill()
    wait_for(driver, "finished, best")  # its slot starts another
    with pytest.raises(UserError, match=f"is being run by process {driver.pid} on"):
        run_here(folder, EMBEDDED)
    workers = workers_of(driver)
    driver.kill()
    driver.communicate()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, "no worker outlives its driver"

    driver = start(folder)
    wait_for(driver, "finished, best")
    kill_group(driver)
    with (folder / "work/search/bilstm/study.journal").open("ab") as journal:
        journal.write(b'{"op_code":5,"worker_id":"')  # as a worker that is killed while it writes

    output = run_here(folder, EMBEDDED)
    assert f"{n_trials}/{n_trials} finished, best 0." in output
    assert re.search(r"bilstm: (trial \d+ is|no trial is) better than the defaults", output)
    done = [trial for trial in check(folder, EMBEDDED, n_trials) if trial.datetime_complete]
    assert any(
        one.number != other.number
        and one.datetime_start < other.datetime_complete
        and other.datetime_start < one.datetime_complete
        for one in done
        for other in done
    ), "two workers at the same time"
    logs = "".join(log.read_text() for log in Path("work/search/bilstm").glob("*.log"))
    assert "locked" not in logs
    assert "trial 0:" not in run_here(folder, EMBEDDED), "no trial is run twice"


def test_a_search_on_servers_survives_kills_and_an_outage_of_the_database(tokens, tmp_path, servers, run_here):
    """The database is that of both stores."""
    folder, other = (prepare(tmp_path / name, tokens, n_trials=10, seed=12) for name in ("clone", "other clone"))
    driver = start(folder, servers)
    wait_for(driver, "finished, best")
    servers.postgresql.kill()
    time.sleep(10)
    servers.postgresql.start()
    wait_for(driver, "finished, best")
    workers_of(driver)[0].kill()
    wait_for(driver, "finished, best")
    with pytest.raises(UserError, match=f"is being run by process {driver.pid} on"):
        run_here(other, servers)
    kill_group(driver)
    run_here(other, servers)
    check(other, servers, 10)


@pytest.mark.parametrize(
    ("workers", "number"),
    [pytest.param(2, signal.SIGINT, marks=pytest.mark.soak), (1, signal.SIGINT), (1, signal.SIGTERM)],
)
def test_ctrl_c_and_sigterm_end_a_search_and_close_its_runs(tokens, tmp_path, workers, number):
    """With one slot the signal arrives in Lightning's training, which turns it into an exit."""
    folder = prepare(tmp_path, tokens, workers=workers, n_trials=50)
    driver = start(folder)
    wait_for(driver, "trial 0: complete" if workers == 2 else "epoch 1/2")
    processes = workers_of(driver)
    assert len(processes) == (workers if workers > 1 else 0)
    os.killpg(driver.pid, number)
    output = finish(driver, *INTERRUPTED)
    assert re.search(r"stopped after \d+ of 50 trials; the same command resumes the search", output)
    assert "Traceback" not in output
    assert "leaked" not in output
    assert not any(process.is_running() for process in processes)
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert "RUNNING" not in {run.info.status for run in runs}
    assert [run.info.status for run in runs if "mlflow.parentRunId" not in run.data.tags] == ["KILLED"]
    assert not (folder / "searches").exists()


def test_an_error_of_a_trial_ends_the_search_in_one_line(tokens, tmp_path, monkeypatch):
    folder = prepare(tmp_path, tokens, workers=1)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", EMBEDDED.uri(folder))
    (folder / "data/tokens").unlink()
    (folder / "data/tokens").mkdir()
    for name in ("dataset.json", "tokenizer.json", "train"):
        (folder / "data/tokens" / name).symlink_to(tokens / name)
    with pytest.raises(UserError, match=r"bilstm: data/tokens/validation is missing: run `dvc repro"):
        search.main("bilstm")
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert {run.info.status for run in runs} == {"FAILED", "KILLED"}
    assert not (folder / "searches").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:secret@127.0.0.1:9/db", "does not respond"),
        ("sqlite:///here.db", "lock one another out"),
    ],
)
def test_a_storage_that_cannot_be_used_is_an_error_in_one_line(project, tokens, monkeypatch, url, message):
    (project / "data").mkdir()
    (project / "data/tokens").symlink_to(tokens)
    monkeypatch.setenv("OPTUNA_STORAGE", url)
    with pytest.raises(UserError, match=message) as raised:
        search.main("bilstm")
    assert "secret" not in str(raised.value)
    assert not Path("searches").exists()
