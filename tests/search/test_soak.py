"""Searches that are killed at random moments: twenty minutes on two free cores."""

import contextlib
import random
import subprocess
import time

import pytest
from searching import EMBEDDED, check, finish, kill_group, prepare, start, wait_for, workers_of

KILLS = 50


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["embedded", "servers"])
def test_fifty_kills_at_random_moments(tokens, tmp_path, request, kind):
    stores = EMBEDDED if kind == "embedded" else request.getfixturevalue(kind)
    rng, kills, studies = random.Random(1), 0, 0
    while kills < KILLS:
        studies += 1
        folder = prepare(tmp_path / f"study-{studies}", tokens, n_trials=20, seed=100 + studies)
        begin = time.monotonic()
        driver = start(folder, stores)
        wait_for(driver, "finished, best")
        until_first = time.monotonic() - begin  # seconds; the moments scale with it
        for victim in rng.choices(["worker", "driver", "group"], k=7):
            if victim == "worker":
                for _ in range(3):
                    if found := workers_of(driver):
                        rng.choice(found).kill()
                        kills += 1
                    time.sleep(until_first * rng.uniform(0, 0.3))
            kills += 1
            if victim == "driver":
                driver.kill()
                driver.communicate()
            else:
                kill_group(driver)
            driver = start(folder, stores)
            with contextlib.suppress(subprocess.TimeoutExpired):
                driver.wait(until_first * rng.uniform(0.2, 2))
                break  # the search has ended
        finish(driver, timeout=7200)
        check(folder, stores, 20)
        print(f"study {studies}: {kills} kills, exact", flush=True)
    assert studies > 2


@pytest.mark.soak
def test_a_hundred_short_trials_on_embedded_stores_meet_no_lock(tokens, tmp_path):
    folder = prepare(tmp_path, tokens, n_trials=100, max_epochs=1, train_fraction=0.1)
    output = finish(start(folder), timeout=7200)
    logs = "".join(log.read_text() for log in (folder / "work/search/bilstm").glob("*.log"))
    assert "locked" not in output + logs
    assert "Traceback" not in logs
    check(folder, EMBEDDED, 100)
