"""How long one raw review takes: text in, label and probability out, on one thread, and in Keras.

    python -m benchmarks.latency [--quick]

The version of the registered model that reports/registered.json names, as MLflow loads it, and where `make best` has
run that of best/reports too; without either, the files of models/bilstm. Keras takes the same texts through its
TextVectorization and `predict` on a network of the documents' sizes: its weights do not matter here. The reviews are
test's, spread evenly over the split, one a call, each length as often as it comes. Before the clock runs, some others
are answered: a CPU's kernels are built once a width.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import keras
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn.data import store
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import registry

TITLE = "Serve: one review a call, one thread"
WARM_UP = 100  # reviews: they meet nearly every width
KERAS = "the documents' model, Keras's `predict`"


def predictors() -> dict[str, Callable[[list[str]], Any]]:
    """What is there to be measured, by name: from raw texts to probabilities.

    Raises:
        UserError: nothing is.
    """
    found: dict[str, Callable[[list[str]], Any]] = {}
    for reports in (Path("reports"), Path("best/reports")):
        if (reports / "registered.json").exists() and Path("mlruns/mlflow.db").exists():
            registered = read_json(reports / "registered.json")
            name, version = registered["model"], registered["version"]
            found[f"{registered['architecture']}: {name} version {version}"] = registry.load(name, version).predict
    for folder in sorted(Path("models/bilstm").glob("seed-*"))[:1]:
        if not found:
            found[f"bilstm: {folder}"] = Predictor(folder, "data/tokens/tokenizer.json").positive
    if not found:
        raise UserError("no model is there: dvc repro")
    return found


def milliseconds(predict: Callable[[list[str]], Any], texts: list[str]) -> list[float]:
    """Of each text, alone in its call."""
    taken = []
    for text in texts:
        began = time.perf_counter()
        predict([text])
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def measure(quick: bool) -> Result:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would be further ones
    torch.set_num_threads(1)
    texts = store.load_split("data/raw", "test").texts
    places = np.linspace(0, len(texts) - 1, WARM_UP + (50 if quick else 500)).astype(int)
    asked = [texts[row] for row in np.random.default_rng(0).permutation(places)]
    with keras.started(threads=1) as rival, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asked, file)
        file.flush()
        rival.ask("texts", path=file.name)
        rival.ask("new", seed=1)
        taken = {name: milliseconds(predict, asked)[WARM_UP:] for name, predict in predictors().items()}
        theirs = [1000 * rival.ask("predict", rows=[row])["seconds"] for row in range(len(asked))][WARM_UP:]
    medians = {name: float(np.median(each)) for name, each in (taken | {KERAS: theirs}).items()}
    rows = [
        [name, f"{medians[name]:.1f}", f"{np.quantile(each, 0.95):.1f}"]
        for name, each in (taken | {KERAS: theirs}).items()
    ]
    dataset = store.load_identity("data/raw")["dataset"]
    ratios = {f"{name.split(':')[0]} / Keras": Ratio(medians[name] / medians[KERAS]) for name in taken}
    notes = [f"{len(theirs)} test reviews of {dataset}. Keras's clock runs in its own process, without the asking."]
    return Result(ratios, ["model", "median, ms", "95th percentile, ms"], rows, notes)


if __name__ == "__main__":
    command("latency", TITLE, measure)
