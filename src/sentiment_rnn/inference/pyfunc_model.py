"""The registered model: raw texts to labels and probabilities, on ONNX Runtime.

MLflow logs this file beside `model.onnx` and `tokenizer.json`, and runs it where the version is loaded ("model from
code"). The three files need numpy, onnxruntime and tokenizers; nothing of this project, and MLflow only if it loads
them. Without it: `python pyfunc_model.py "A warm, funny film."`
"""

import json
import os
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from tokenizers import Tokenizer

BATCH_SIZE = 32
SURROGATE = re.compile("[\ud800-\udfff]")  # half of a UTF-16 pair: JSON can contain it alone, UTF-8 cannot
TYPES = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


class Sentiment:
    """Tokenizer and network. All that follows from the token ids is in the graph: unknown words, temperature, prior.

    Args:
        model: the file `model.onnx`; its metadata has truncation, padding and the names of the classes.
        tokenizer: the file `tokenizer.json`.
    """

    def __init__(self, model: str | Path, tokenizer: str | Path) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = 1  # of several batches each has a thread: faster than several threads for each
        self.session = InferenceSession(str(model), options)
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.classes: list[str] = json.loads(metadata["classes"])
        self.max_length = int(metadata["max_length"])
        self.truncation, self.padding = metadata["truncation"], metadata["padding"]
        self.tokenizer = Tokenizer.from_file(str(tokenizer))

    def predict(self, texts: Sequence[Any]) -> list[dict[str, str | float | int]]:
        """Predict texts, independently of each other.

        Returns:
            For each text its `label`, the `probability` of the second class, and `known_words`: how many of the words
            and punctuation marks that the network reads are in its vocabulary. Without one the probability is the
            fraction of the second class in the training data.

        Raises:
            ValueError: there is no text, or one is not a string or not valid Unicode; the message has its position.
        """
        if not len(texts):
            raise ValueError("there is no text: nothing to classify")
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                found = "null" if text != text else TYPES.get(type(text), type(text).__name__)  # NaN is null
                raise ValueError(f"text {position} should be a string, it is {found}")
            if SURROGATE.search(text):
                raise ValueError(f"text {position} has a lone surrogate: it is not valid Unicode")
        ids = [self._truncate(encoding.ids) for encoding in self.tokenizer.encode_batch_fast(list(texts))]
        by_length = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        batches = [by_length[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE)]
        if len(batches) == 1:
            outputs = [self._run(ids)]
            batches = [list(range(len(ids)))]
        else:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                outputs = list(pool.map(lambda rows: self._run([ids[row] for row in rows]), batches))
        predictions: list[Any] = [None] * len(ids)
        for rows, batch in zip(batches, outputs, strict=True):
            for row, probability, known_words in zip(rows, *batch, strict=True):
                label = self.classes[int(probability >= 0.5)]
                predictions[row] = {"label": label, "probability": probability, "known_words": known_words}
        return predictions

    def _truncate(self, ids: list[int]) -> list[int]:
        if len(ids) <= self.max_length:
            return ids
        head = {"head": self.max_length, "tail": 0, "head_tail": self.max_length // 4}[self.truncation]
        return ids[:head] + ids[len(ids) - (self.max_length - head) :]

    def _run(self, ids: Sequence[list[int]]) -> tuple[list[float], list[int]]:
        lengths = np.array([len(each) for each in ids])
        width = self.max_length if self.padding == "pre" else max(1, int(lengths.max()))
        padded = np.zeros((len(ids), width), dtype=np.int64)
        for row, each in zip(padded, ids, strict=True):
            start = width - len(each) if self.padding == "pre" else 0
            row[start : start + len(each)] = each
        if self.padding == "pre":
            lengths[:] = width  # this padding is read like tokens
        probability, known_words = self.session.run(None, {"ids": padded, "lengths": lengths})
        return probability.tolist(), known_words.tolist()


if "mlflow" in sys.modules:  # MLflow runs this file
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc import PythonModel, PythonModelContext
    from pandas import DataFrame

    class SentimentModel(PythonModel):
        """`Sentiment` as MLflow calls it: with the texts, whatever holds them, as a column. Errors get status 400."""

        def load_context(self, context: PythonModelContext) -> None:
            self.sentiment = Sentiment(context.artifacts["model"], context.artifacts["tokenizer"])

        def predict(
            self, context: PythonModelContext, model_input: DataFrame, params: dict[str, Any] | None = None
        ) -> list[dict[str, Any]]:
            try:
                # the signature's column has no name, so that it can be a list; MLflow keeps the first of several
                (column,) = model_input.columns
                if column not in (0, "text"):
                    raise ValueError(f"the texts should be in a column text, the first one; the first is {column}")
                return self.sentiment.predict(model_input[column].tolist())
            except ValueError as error:
                invalid = MlflowException.invalid_parameter_value(str(error))
                invalid.json_kwargs["message"] = str(error)  # MLflow's server would put the whole request before it
                raise invalid from error

    mlflow.models.set_model(SentimentModel())
elif __name__ == "__main__":
    folder = Path(__file__).parent
    print(json.dumps(Sentiment(folder / "model.onnx", folder / "tokenizer.json").predict(sys.argv[1:]), indent=1))
