"""Latency and throughput of raw-text predictions, in process and over HTTP.

    python -m benchmarks.serving [--quick]

The champion, as MLflow loads it and as `make serve` serves it; scikit-learn's TF-IDF of one and two words with logistic
regression, fitted here on the same train reviews; Keras's TextVectorization and `predict` with an untrained network of
the reference script's size. The reviews are spread evenly over test.

Single: one review per call, on one thread (Keras: its default); over HTTP on one open connection. Bulk: 1,000 reviews
per call on all threads, 250 per request over HTTP. Warm-up calls come before the clock runs.

Cold: a new process of `sentiment-rnn predict`, against one that imports MLflow.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks import keras
from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio
from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.inference import latency
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect_to_existing

TITLE = "Serving: latency of one review, throughput of many"
Predict = Callable[[list[str]], Any]


class Row(NamedTuple):
    """A model: milliseconds of one review (median, 95th percentile), reviews per second in bulk."""

    name: str
    median: float
    percentile_95: float
    bulk: float


def timed(name: str, predict: Predict, texts: Sequence[str], reviews: int, bulk: int, chunk: int = 1_000) -> Row:
    """Time a function of raw texts.

    Args:
        name: of the row.
        predict: the function.
        texts: the reviews to choose from.
        reviews: number of reviews for single calls.
        bulk: number of reviews for bulk calls.
        chunk: reviews per bulk call.
    """
    single = latency.single_review(predict, texts, reviews)
    chosen = [texts[row] for row in np.linspace(0, len(texts) - 1, bulk).astype(int)]
    chosen = [chosen[row] for row in np.random.default_rng(0).permutation(len(chosen))]
    predict(chosen[:chunk])
    begin = time.perf_counter()
    for start in range(0, len(chosen), chunk):
        predict(chosen[start : start + chunk])
    seconds = time.perf_counter() - begin
    return Row(name, float(np.median(single)), float(np.quantile(single, 0.95)), len(chosen) / seconds)


def champion_rows(texts: Sequence[str], reviews: int, bulk: int) -> list[Row]:
    """The champion in process and over HTTP."""
    name = params.load().registered_name
    version = str(registry.require_champion(connect_to_existing(), name).version)
    model = registry.load(name, version)
    rows = [timed(f"{name} version {version}, in process", model.predict, texts, reviews, bulk)]
    with server() as predict:
        rows.append(timed(f"{name} version {version}, over HTTP", predict, texts, reviews, bulk, chunk=250))
    return rows


@contextmanager
def server() -> Iterator[Predict]:
    """Run `sentiment-rnn serve` for the block; requests go over one connection."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().split("http://")[1].split("/")[0].split(":")
        connection = http.client.HTTPConnection(host, int(port))

        def predict(texts: list[str]) -> Any:
            body = json.dumps({"inputs": texts})
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = json.loads(response.read())
            assert response.status == 200, content
            return content["predictions"]

        try:
            yield predict
        finally:
            connection.close()
            process.terminate()


def processor_seconds(*line: str) -> float:
    """Processor time of a new process of Python, with its start and its exit."""
    before = os.times()
    subprocess.run([sys.executable, *line], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])  # of children, in user and system mode


def scikit_learn_row(train: Split, texts: Sequence[str], reviews: int, bulk: int) -> Row:
    """TF-IDF of one and two words that occur in two reviews or more, logistic regression, fitted on `train`."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model: Pipeline = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=1000)).fit(train.texts, train.labels)
    name = "scikit-learn TF-IDF and logistic regression, in process"
    return timed(name, model.predict_proba, texts, reviews, bulk)


def keras_row(texts: Sequence[str], reviews: int, bulk: int) -> Row:
    """The network of the reference script, untrained, from raw text to probability."""
    rows = {text: row for row, text in enumerate(texts)}
    with keras.start() as reference, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(list(texts), file)
        file.flush()
        reference.call("texts", path=file.name)
        reference.call("new", seed=1)

        def predict(several: list[str]) -> Any:
            return reference.call("predict", rows=[rows[text] for text in several])

        return timed("Keras, the reference script's network, in its process", predict, texts, reviews, bulk)


def measure(quick: bool) -> Result:
    train, test = (store.load_split("data/raw", name) for name in ("train", "test"))
    size = {"reviews": 50, "bulk": 1_000} if quick else {"reviews": 500, "bulk": 5_000}
    champion = champion_rows(test.texts, **size)
    others = [scikit_learn_row(train, test.texts, **size), keras_row(test.texts, **size)]
    ratios = {
        f"{name} / {other_name}": Ratio(mine / its)
        for other_name, other in zip(("scikit-learn", "Keras"), others, strict=True)
        for name, mine, its in (
            ("one review, champion", champion[0].median, other.median),
            ("many reviews, champion", other.bulk, champion[0].bulk),
        )
    }
    cold, importing = "cold `sentiment-rnn predict`", "`import mlflow`"
    taken = interleaved(
        {
            cold: lambda: processor_seconds("-m", "sentiment_rnn.cli", "predict", "A warm, funny film."),
            importing: lambda: processor_seconds("-c", "import mlflow"),
        },
        3 if quick else 7,
        warm_up=1,
    )
    ratios[f"{cold} / {importing}"] = Ratio(median_ratio(taken, cold, importing))
    rows = [
        [row.name, f"{row.median:.1f}", f"{row.percentile_95:.1f}", f"{row.bulk:,.0f}"] for row in [*champion, *others]
    ]
    columns = ["model", "one review: median, ms", "95th percentile, ms", "many: reviews/s"]
    dataset = store.load_identity("data/raw")["dataset"]
    notes = [f"{size['reviews']} test reviews of {dataset} in single calls, {size['bulk']:,} in bulk."]
    notes += [f"Processor time of {name}: {statistics.median(each):.2f} s." for name, each in taken.items()]
    return Result(ratios, columns, rows, notes)


if __name__ == "__main__":
    command("serving", TITLE, measure)
