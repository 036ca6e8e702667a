"""The champion as it is served (ONNX Runtime in float32), in torch, and with weights of 8 bits: answers and time.

    python -m benchmarks.exported

All reviews of test, in a random order. Latency is of single reviews, the three in turn, on one thread. Prints a table
and saves nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.table import Table
from scipy.special import logit

from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.explain.loading import load_predictor
from sentiment_rnn.inference.pyfunc_model import Sentiment
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect_to_existing

CLOSE = 1e-3  # logits nearer to 0 may have another label in another arithmetic
SINGLE = 200  # reviews predicted one by one
Predict = Callable[[list[str]], np.ndarray]


def main() -> None:
    test = store.load_split("data/raw", "test")
    rows = np.random.default_rng(0).permutation(len(test.texts)).tolist()
    texts, labels = [test.texts[row] for row in rows], np.array(test.labels)[rows]
    torch.set_num_threads(1)

    name = params.load().registered_name
    version = str(registry.require_champion(connect_to_existing(), name).version)
    with TemporaryDirectory() as work:
        folder = Path(work, "model")
        registry.export(name, version, folder)
        small = folder / "int8.onnx"
        quantize_dynamic(folder / "model.onnx", small, op_types_to_quantize=["LSTM"], weight_type=QuantType.QInt8)
        models: dict[str, Predict] = {
            "torch": load_predictor(version)[0].predict_probabilities,
            "served": _onnx(folder / "model.onnx", folder / "tokenizer.json"),
            "8 bits": _onnx(small, folder / "tokenizer.json"),
        }
        predicted, seconds = {}, {}
        for model, predict in models.items():
            start = time.perf_counter()
            predicted[model] = predict(texts)
            seconds[model] = time.perf_counter() - start
        single: dict[str, list[float]] = {model: [] for model in models}
        for text in texts[:SINGLE]:
            for model, predict in models.items():
                start = time.perf_counter()
                predict([text])
                single[model].append(time.perf_counter() - start)

    reference = logit(predicted["torch"])
    table = Table(title=f"{name} version {version}, {len(texts):,} reviews of test")
    for column in ("model", "accuracy, %", "other labels than torch", "of these |logit| >= .001", "largest difference"):
        table.add_column(column)
    for column in ("one review: median, ms", "many: reviews/s"):
        table.add_column(column)
    for model, positive in predicted.items():
        other = (positive >= 0.5) != (predicted["torch"] >= 0.5)
        table.add_row(
            model,
            f"{100 * np.mean((positive >= 0.5) == (labels > 0.5)):.2f}",
            str(other.sum()),
            str((other & (np.abs(reference) >= CLOSE)).sum()),
            f"{np.abs(logit(positive) - reference).max():.1e}",
            f"{1000 * np.median(single[model]):.1f}",
            f"{len(texts) / seconds[model]:.0f}",
        )
    Console(width=120).print(table)


def _onnx(model: Path, tokenizer: Path) -> Predict:
    sentiment = Sentiment(model, tokenizer)
    return lambda texts: np.array([answer["probability"] for answer in sentiment.predict(texts)])


if __name__ == "__main__":
    main()
