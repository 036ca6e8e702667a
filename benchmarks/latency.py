"""How long one raw review takes: text in, label and probability out, in this process, on one thread.

    python -m benchmarks.latency [--recipe best] [--folder models/bilstm/seed-7] [--reviews 500]

Through the version of the registered model that reports/registered.json names (of a recipe, RECIPE/reports'), as
MLflow loads it; with `--folder`, through the files of a model, without MLflow. The reviews are test's, spread evenly
over the split, one a call, each length as often as it comes. Before the clock runs, some others are answered: a CPU's
kernels are built once a width.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.files import read_json
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import registry
from sentiment_rnn.training.devices import machine

WARM_UP = 100  # reviews: they meet nearly every width


def predictor(recipe: str | None, folder: str | None) -> tuple[str, Callable[[list[str]], Any]]:
    """What is measured, by name: from raw texts to probabilities."""
    if folder:
        return folder, Predictor(folder, "data/tokens/tokenizer.json").positive
    registered = read_json(Path(recipe or "", "reports", "registered.json"))
    name, version = registered["model"], registered["version"]
    return f"{name} version {version}", registry.load(name, version).predict


def milliseconds(predict: Callable[[list[str]], Any], texts: list[str]) -> list[float]:
    """Of each text, alone in its call."""
    taken = []
    for text in texts:
        begin = time.perf_counter()
        predict([text])
        taken.append(1000 * (time.perf_counter() - begin))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe")
    parser.add_argument("--folder")
    parser.add_argument("--reviews", type=int, default=500)
    arguments = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would be further ones
    torch.set_num_threads(1)
    name, predict = predictor(arguments.recipe, arguments.folder)
    texts = store.load_split("data/raw", "test").texts
    asked = [texts[row] for row in np.linspace(0, len(texts) - 1, WARM_UP + arguments.reviews).astype(int)]
    order = np.random.default_rng(0).permutation(len(asked))
    shuffled = [asked[row] for row in order]
    milliseconds(predict, shuffled[:WARM_UP])
    taken = milliseconds(predict, shuffled[WARM_UP:])
    dataset = store.load_identity("data/raw")["dataset"]
    computes = machine(params.load().trainer.model_copy(update={"accelerator": "cpu"}))
    print(f"{arguments.reviews} test reviews of {dataset}, one a call, one thread; {computes}\n")
    print("| model | median, ms | 95th percentile, ms |")
    print("|---|---|---|")
    print(f"| {name} | {np.median(taken):.1f} | {np.quantile(taken, 0.95):.1f} |")


if __name__ == "__main__":
    main()
