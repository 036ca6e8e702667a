"""Which cells can be exported to ONNX, and that their graphs give torch's probabilities."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from conftest import shrunk_values
from onnxruntime import InferenceSession

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.inference.export import export
from sentiment_rnn.models import Classifier
from sentiment_rnn.params.model import EXPORTABLE, Cell

MODEL = params.Params.model_validate(shrunk_values()).model


def exported(cell: str, file: Path, **changes: object) -> Classifier:
    """Export an untrained model, with the temperature 1."""
    model = params.updated(MODEL, {"cell": cell, **changes})
    torch.manual_seed(0)
    classifier = Classifier(**model.architecture()).eval()
    export(classifier, Encoding(**model.encoding()), 1.0, 0.5, file, ("negative", "positive"))
    return classifier


@pytest.mark.parametrize("cell", EXPORTABLE)
@pytest.mark.parametrize("changes", [{}, {"bidirectional": True, "num_layers": 2, "pooling": ["last", "mean"]}])
def test_the_graph_gives_torchs_probabilities_at_any_number_of_reviews_and_steps(cell, changes, tmp_path):
    classifier = exported(cell, tmp_path / "model.onnx", **changes)
    session = InferenceSession(str(tmp_path / "model.onnx"))
    for reviews, steps in ((1, 1), (3, 40), (5, 7)):
        ids = torch.randint(2, MODEL.vocab_size, (reviews, steps))
        lengths = torch.arange(steps, steps - reviews, -1).clamp(min=1)
        ids[torch.arange(steps) >= lengths[:, None]] = 0
        with torch.no_grad():
            expected = torch.sigmoid(classifier(ids.t(), lengths))
        probability, known_words = session.run(None, {"ids": ids.numpy(), "lengths": lengths.numpy()})
        assert np.allclose(probability, expected, rtol=0, atol=1e-6)
        assert known_words.tolist() == lengths.tolist()


@pytest.mark.parametrize("cell", sorted(set(get_args(Cell)) - set(EXPORTABLE)))
def test_the_refused_cells_cannot_be_exported(cell, tmp_path):
    with pytest.raises((RuntimeError, torch.onnx.errors.OnnxExporterError, AssertionError)):
        _same_at_another_length(exported(cell, tmp_path / "model.onnx"), tmp_path / "model.onnx")


def _same_at_another_length(classifier: Classifier, file: Path) -> None:
    """Some are exported with the number of steps of the example, and fail at another one."""
    ids, lengths = torch.randint(2, MODEL.vocab_size, (2, 30)), torch.tensor([30, 30])
    with torch.no_grad():
        expected = torch.sigmoid(classifier(ids.t(), lengths))
    try:
        probability, _ = InferenceSession(str(file)).run(None, {"ids": ids.numpy(), "lengths": lengths.numpy()})
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise RuntimeError(str(error)) from error
    assert np.allclose(probability, expected, rtol=0, atol=1e-6)
