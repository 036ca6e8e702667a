"""Trainings on the data set's reviews, each evaluated on test once, after its last epoch: test selects nothing."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.language_model import pretrain
from sentiment_rnn.training.logger import RunLogger

LANGUAGE_MODEL = "claims.language_model"  # tag: the run of the language model that the weights come from
EMBEDDING = "embedding.weight"  # the same in all models, and most of their weights
WORD_VECTORS = Path("data/word_vectors")
BLOCKS = 50  # of test reviews, if there are so many of each label
TEST_SUBSET_SEED = 0


class ReviewTraining(CachedExperiment):
    """A training with one seed.

    Attributes:
        reviews: number of labeled training reviews; None: all.
        test_reviews: number of test reviews; None: all.
        pretraining: number of unlabeled reviews of the language model that initializes it; 0: none.
        word_vectors_sha256: hash of the initial embedding; None: it does not start from word vectors.
    """

    reviews: int | None = None
    test_reviews: int | None = None
    pretraining: int = 0
    word_vectors_sha256: str | None = None

    def run(self, context: Context) -> str:
        """Train, and evaluate on test.

        Returns:
            The id of its MLflow run: metrics test_accuracy, test_loss, final_validation_accuracy,
            final_validation_loss, weights (without the embedding), train_seconds, and test_block_accuracy, whose step
            is the block of reviews.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        encoding = Encoding(**self.model.encoding())
        language_model = _language_model(client, self, context) if self.pretraining else None
        run_id = self.start(client, context)
        with runs.running(client, run_id):
            init_state = pretrained.load(self.model, WORD_VECTORS, context.tokens)
            if language_model:
                client.set_tag(run_id, LANGUAGE_MODEL, language_model.run_id)
                init_state = language_model.weights
            result = fit(
                f"{self.name}, seed {self.seed}",
                self.model,
                context.trainer,
                self.seed,
                tokens=context.tokens,
                checkpoints=None,
                logger=RunLogger(run_id),
                train_fraction=_fraction(self.reviews, len(TokenizedReviews(context.tokens, ["train"], encoding))),
                init_state=init_state,
            )
            assert result is not None, "an experiment is one process"
            test = TokenizedReviews(context.tokens, ["test"], encoding)
            test.subsample(_fraction(self.test_reviews, len(test)), TEST_SUBSET_SEED)
            logits = predict_logits(result.model, test)
            metrics = evaluate(probabilities(logits), test.labels)
            weights = [values.numel() for name, values in result.model.named_parameters() if name != EMBEDDING]
            values = {
                "test_accuracy": metrics["accuracy"],
                "test_loss": metrics["log_loss"],
                "final_validation_accuracy": result.history[-1]["validation_accuracy"],
                "final_validation_loss": result.history[-1]["validation_loss"],
                "weights": sum(weights),
                "train_seconds": sum(row["epoch_seconds"] for row in result.history),
            }
            blocks = block_accuracies((logits > 0) == (test.labels > 0), test.labels)
            history = [Metric("test_block_accuracy", value, 0, step) for step, value in enumerate(blocks)]
            client.log_batch(run_id, metrics=[*(Metric(name, value, 0, 0) for name, value in values.items()), *history])
            # last, since Lightning's logger ends the run as soon as the training has ended
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


def block_accuracies(correct: np.ndarray, labels: np.ndarray) -> list[float]:
    """Accuracy on each of at most `BLOCKS` parts of the reviews, with as many of each label.

    A part has neighboring reviews, so that those of one movie are together: the spread of the parts shows the sampling
    error.
    """
    by_label = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    count = min(BLOCKS, *map(len, by_label))
    parts = [np.array_split(rows, count) for rows in by_label]
    return [float(correct[np.concatenate(rows)].mean()) for rows in zip(*parts, strict=True)]


def _fraction(reviews: int | None, available: int) -> float:
    return 1.0 if reviews is None else min(1.0, reviews / available)


class LanguageModel(NamedTuple):
    """Weights that initialize a classifier, and the MLflow run that learned them."""

    weights: dict[str, Tensor]
    run_id: str


def _language_model(client: MlflowClient, experiment: ReviewTraining, context: Context) -> LanguageModel:
    """The language model that `experiment` starts from; the same for any number of labeled reviews."""
    model = experiment.model.model_copy(update={"max_epochs": 1, "patience": 1})  # epochs on labeled reviews differ
    common = experiment.model_copy(update={"reviews": None, "test_reviews": None, "model": model})
    file = context.work / f"language-model-{common.key(context)}.safetensors"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            name = f"{model.cell}, language model"
            run_id = common.start(client, context, name)
            with runs.running(client, run_id):
                weights = pretrain(
                    f"{name}, seed {experiment.seed}",
                    model,
                    context.trainer,
                    experiment.seed,
                    tokens=context.tokens,
                    reviews=experiment.pretraining,
                    logger=RunLogger(run_id),
                )
                partial = file.with_suffix(".partial")
                save_file(weights, partial, metadata={"run_id": run_id})
                partial.rename(file)
    with safe_open(file, "pt") as stored:
        return LanguageModel(load_file(file), stored.metadata()["run_id"])
