"""What an answer costs: one review of raw text, in process and over HTTP, and thousands of them.

    python -m benchmarks.serving [--quick]

The champion, as MLflow loads it and as `make serve` serves it, beside scikit-learn's TF-IDF of one and two words with a
logistic regression, fitted here on the same train reviews, and beside Keras: its TextVectorization and `predict` on a
network of the documents' sizes, whose weights do not matter here. The reviews are test's, spread evenly over the split.

One review: alone in its call, in process on one thread (Keras: on those that it takes); over HTTP on a kept connection.
Many: 1,000 a call in process on all threads, 250 a request over HTTP, where a request has one thread. Before the clock
runs, others are answered.
"""

import http.client
import json
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
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.inference import latency
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect_to_existing

TITLE = "Serve: one review, and thousands"
Predict = Callable[[list[str]], Any]


class Row(NamedTuple):
    """A way to ask a model: milliseconds of one review (median, 95th percentile), reviews a second in bulk."""

    name: str
    median: float
    late: float
    bulk: float


def timed(name: str, predict: Predict, texts: Sequence[str], reviews: int, bulk: int, chunk: int = 1_000) -> Row:
    """Time a function from raw texts to answers.

    Args:
        name: of the row.
        predict: what is timed.
        texts: reviews to ask about.
        reviews: that are asked one a call.
        bulk: reviews that are asked `chunk` a call.
        chunk: reviews in a call.
    """
    single = latency.of_one_review(predict, texts, reviews)
    asked = [texts[row] for row in np.linspace(0, len(texts) - 1, bulk).astype(int)]
    asked = [asked[row] for row in np.random.default_rng(0).permutation(len(asked))]
    predict(asked[:chunk])
    begin = time.perf_counter()
    for start in range(0, len(asked), chunk):
        predict(asked[start : start + chunk])
    seconds = time.perf_counter() - begin
    return Row(name, float(np.median(single)), float(np.quantile(single, 0.95)), len(asked) / seconds)


def champion_rows(texts: Sequence[str], reviews: int, bulk: int) -> list[Row]:
    """The champion in process and over HTTP."""
    name = params.load().registry.name
    version = str(registry.require_champion(connect_to_existing(), name).version)
    model = registry.load(name, version)
    rows = [timed(f"{name} version {version}, in process", model.predict, texts, reviews, bulk)]
    with served() as predict:
        rows.append(timed(f"{name} version {version}, over HTTP", predict, texts, reviews, bulk, chunk=250))
    return rows


@contextmanager
def served() -> Iterator[Predict]:
    """The champion behind `sentiment-rnn serve`, asked over one connection."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        host, port = said.split("http://")[1].split("/")[0].split(":")
        connection = http.client.HTTPConnection(host, int(port))

        def predict(texts: list[str]) -> Any:
            body = json.dumps({"inputs": texts})
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())
            assert answer.status == 200, said
            return said["predictions"]

        try:
            yield predict
        finally:
            connection.close()
            server.terminate()


def scikit_learn_row(train: store.Split, texts: Sequence[str], reviews: int, bulk: int) -> Row:
    """TF-IDF of one and two words that stand in two reviews or more, logistic regression, fitted on `train`."""
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model: Pipeline = make_pipeline(vectors, LogisticRegression(C=10, max_iter=1000)).fit(train.texts, train.labels)
    name = "scikit-learn TF-IDF and logistic regression, in process"
    return timed(name, model.predict_proba, texts, reviews, bulk)


def keras_row(texts: Sequence[str], reviews: int, bulk: int) -> Row:
    """The documents' network, not trained, from raw text to probability."""
    places = {text: row for row, text in enumerate(texts)}
    with keras.started() as baseline, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(list(texts), file)
        file.flush()
        baseline.ask("texts", path=file.name)
        baseline.ask("new", seed=1)

        def predict(asked: list[str]) -> Any:
            return baseline.ask("predict", rows=[places[text] for text in asked])

        return timed("Keras, the documents' network, in its process", predict, texts, reviews, bulk)


def measure(quick: bool) -> Result:
    train, test = (store.load_split("data/raw", name) for name in ("train", "test"))
    size = {"reviews": 50, "bulk": 1_000} if quick else {"reviews": 500, "bulk": 5_000}
    found = champion_rows(test.texts, **size)
    baselines = [scikit_learn_row(train, test.texts, **size), keras_row(test.texts, **size)]
    ratios = {
        f"{name} / {baseline}": Ratio(mine / its)
        for baseline, other in zip(("scikit-learn", "Keras"), baselines, strict=True)
        for name, mine, its in (
            ("one review, champion", found[0].median, other.median),
            ("many reviews, champion", other.bulk, found[0].bulk),
        )
    }
    rows = [[row.name, f"{row.median:.1f}", f"{row.late:.1f}", f"{row.bulk:,.0f}"] for row in [*found, *baselines]]
    columns = ["model", "one review, median, ms", "95th percentile, ms", "many, reviews a second"]
    dataset = store.load_identity("data/raw")["dataset"]
    notes = [f"{size['reviews']} test reviews of {dataset} one a call, {size['bulk']:,} in bulk."]
    return Result(ratios, columns, rows, notes)


if __name__ == "__main__":
    command("serving", TITLE, measure)
