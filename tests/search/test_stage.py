"""What the stage search writes where nothing is searched."""

import json
from pathlib import Path

import pytest
from local_study import PARAMS

from sentiment_rnn.search import stage


@pytest.mark.parametrize("why", ["protocol", "no trials", "no space", "cma_es", "other cell", "not listed"])
def test_without_anything_to_search_the_values_of_params_are_used(tmp_path, monkeypatch, why):
    monkeypatch.chdir(tmp_path)
    name = {"protocol": "bilstm_keras", "cma_es": "evolved_lstm", "not listed": "gru"}.get(why, "bilstm")
    leak_rate = PARAMS.search.space["dropout"].model_copy(update={"low": 0.1})
    changes = {
        "no trials": {"n_trials": 0},
        "no space": {"space": {}},
        "other cell": {"space": {"echo_state.leak_rate": leak_rate}},
    }
    listed = [] if why == "not listed" else [name]
    search = PARAMS.search.model_copy(update={"architectures": listed, **changes.get(why, {})})
    stage.run(name, PARAMS.model_copy(update={"search": search}))
    assert json.loads(Path("searches", f"{name}.json").read_text()) == {}
    assert json.loads(Path("reports/search", f"{name}.json").read_text())["trials"] == []
    assert not Path("work").exists()
