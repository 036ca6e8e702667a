"""The stage baseline_predictions: predictions of a baseline on test, for the report on the registered version."""

from pathlib import Path

from sentiment_rnn.baselines import model
from sentiment_rnn.data import predictions, store
from sentiment_rnn.evaluation.metrics import probabilities


def predict(folder: Path, *, raw: Path, out: Path) -> None:
    """Predict test with a trained baseline and write the predictions.

    Args:
        folder: of the baseline.
        raw: folder of the download stage.
        out: a Parquet file.

    Raises:
        UserError: the baseline is not trained, or corrupt.
    """
    baseline = model.load(folder)
    test = store.load_split(raw, "test")
    predictions.save(probabilities(baseline.logits(test.texts)), test, out)
