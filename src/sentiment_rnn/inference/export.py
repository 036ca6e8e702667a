"""Export of trained models to ONNX: token ids and lengths in, the calibrated probability out."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import Classifier

OPSET = 17


class Calibrated(nn.Module):
    """A model with all that follows from its token ids: unknown words, temperature, prior.

    Args:
        model: in evaluation mode.
        vocab_size: of the model; ids beyond it are unknown words.
        temperature: divides the logits.
        prior: the probability of "positive" for texts without a known word.
    """

    def __init__(self, model: Classifier | Ensemble, vocab_size: int, temperature: float, prior: float) -> None:
        super().__init__()
        self.model = model
        self.vocab_size = vocab_size
        self.temperature = temperature
        self.prior = prior

    def forward(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Predict reviews.

        Args:
            ids: `(B, T)` of the tokenizer.
            lengths: `(B,)`, 0 for a text without tokens.

        Returns:
            Probabilities of "positive" `(B,)` float64, and the number of known words `(B,)`.
        """
        known_words = ((ids > UNKNOWN) & (ids < self.vocab_size)).sum(dim=1)
        ids = ids.masked_fill(ids >= self.vocab_size, UNKNOWN)
        logits = self.model(ids.t(), lengths.clamp(min=1))
        probability = torch.sigmoid(logits.double() / self.temperature)
        return probability.masked_fill(known_words == 0, self.prior), known_words


def export(
    model: Classifier | Ensemble,
    encoding: Encoding,
    temperature: float,
    prior: float,
    path: Path,
    class_names: Sequence[str],
) -> None:
    """Write a model as ONNX, with the truncation and padding of its input and the names of the classes as metadata.

    Args:
        model: in evaluation mode, on the CPU.
        encoding: of its input.
        temperature: of the calibration.
        prior: fraction of "positive" in train.
        path: of the file.
        class_names: of the classes 0 and 1, the model's labels.
    """
    ids, lengths = torch.tensor([[2, 1, 2], [2, 2, 0]]), torch.tensor([3, 2])
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # this exporter, by tracing, is deprecated; torch's other one fixes the steps
        torch.onnx.register_custom_op_symbolic("aten::logaddexp", _logaddexp, OPSET)
        torch.onnx.export(
            Calibrated(model, encoding.vocab_size, temperature, prior).eval(),
            (ids, lengths),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["ids", "lengths"],
            output_names=["probability", "known_words"],
            dynamic_axes={
                "ids": {0: "reviews", 1: "steps"},
                "lengths": {0: "reviews"},
                "probability": {0: "reviews"},
                "known_words": {0: "reviews"},
            },
        )
    graph = onnx.load(path)
    onnx.helper.set_model_props(
        graph,
        {
            "max_length": str(encoding.max_length),
            "truncation": encoding.truncation,
            "padding": encoding.padding,
            "classes": json.dumps(list(class_names)),
        },
    )
    onnx.save(graph, path)


def _logaddexp(graph: Any, first: Any, second: Any) -> Any:
    """The graph of `torch.logaddexp`, which has no operator in ONNX."""
    return graph.op("Add", first, graph.op("Softplus", graph.op("Sub", second, first)))
