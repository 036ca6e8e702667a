"""One training that claims rest on: it is run once, and found again in MLflow by what it is made of."""

import hashlib
import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Run
from pydantic import BaseModel, ConfigDict
from pytorch_lightning.loggers import MLFlowLogger
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.claims import spaced
from sentiment_rnn.claims.gradients import norms_by_age
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference import score
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.pretraining.language_model import pretrain
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import experiment, tracking_uri
from sentiment_rnn.training.devices import machine, resolve_precision
from sentiment_rnn.training.fit import fit

KEY = "claims.key"  # tag of a run that has all its figures
LANGUAGE_MODEL = "claims.language_model"  # tag: the run of the language model that the weights come from
FOLDER = "claims.folder"  # tag of every run: the folder it was started from
# parameters that came later, where they change nothing: what was trained before them stays done
UNUSED = {
    "pretrained": False, "teachers": [], "teacher_epochs": 1, "label_smoothing": 0.0, "adversarial": None, "ema": None,
}  # fmt: skip
EMBEDDING = "embedding.weight"  # the same in all, and most of a model's weights


class Setting(NamedTuple):
    """Where experiments run: Trainer's parameters, the tokenized reviews at hand, a folder for what waits."""

    trainer: TrainerParams
    tokens: Path
    work: Path


class Experiment(BaseModel):
    """A training with one seed, scored on test once, after its last epoch: nothing is chosen by it.

    Attributes:
        name: how the report calls it.
        model: the architecture and how it is trained.
        seed: this training's.
        reviews: labelled ones that it sees; None: all of train.
        distance: None, or the sample's long-range dial takes the place of the reviews at hand.
        pretraining: unlabelled reviews that its weights have read as a language model.
        gradients: steps back over which the gradient is measured; 0: it is not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    model: ModelParams
    seed: int
    reviews: int | None = None
    distance: int | None = None
    pretraining: int = 0
    gradients: int = 0

    def describe(self, setting: Setting) -> dict[str, Any]:
        """All that decides its figures, but for the data."""
        values = self.model_dump(exclude={"name", "model"}) | self.model.of_one_seed()
        values = {key: value for key, value in values.items() if key not in UNUSED or value != UNUSED[key]}
        return values | {"precision": resolve_precision(setting.trainer)}

    def tokens(self, setting: Setting) -> Path:
        """The folder of what it reads."""
        if self.distance is None:
            return setting.tokens
        return spaced.tokenize(setting.work, self.distance, self.reviews or 0)

    def key(self, setting: Setting) -> str:
        """The same for the same model, training and data."""
        what = [self.describe(setting), load_identity(self.tokens(setting))]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def done(client: MlflowClient, setting: Setting) -> dict[str, Run]:
    """The finished runs by their experiments' keys."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([_experiment_id(client, setting)], "status = 'FINISHED'", page_token=token)
        found |= {run.data.tags[KEY]: run for run in page if KEY in run.data.tags}
        if not (token := page.token):
            return found


def end_killed(client: MlflowClient, setting: Setting) -> None:
    """Mark the runs that killed workers of this folder left; to be called while none of them lives."""
    for left in client.search_runs([_experiment_id(client, setting)], "status = 'RUNNING'"):
        if left.data.tags.get(FOLDER) == _folder(setting):  # other clones may share the store
            runs.end_killed(client, left.info.run_id)


def run(wanted: Experiment, setting: Setting) -> str:
    """Train and score.

    Returns:
        The id of its MLflow run: metrics test_accuracy, test_loss, final_validation_accuracy, weights (without the
        embedding), train_seconds, and gradient_norm, whose step is the token's age.
    """
    client = MlflowClient(tracking_uri(), tracking_uri())
    tokens = wanted.tokens(setting)
    encoding = Encoding(**wanted.model.encoding())
    language = _pretrained(client, wanted, setting) if wanted.pretraining else None
    run_id = _start(client, wanted, setting, wanted.name)
    with runs.running(client, run_id):
        if language:
            client.set_tag(run_id, LANGUAGE_MODEL, language.run_id)
        read = len(TokenizedReviews(tokens, ["train"], encoding))
        finished = fit(
            f"{wanted.name}, seed {wanted.seed}",
            wanted.model,
            _one_device(setting),
            wanted.seed,
            tokens=tokens,
            checkpoints=None,
            logger=MLFlowLogger(tracking_uri=tracking_uri(), run_id=run_id),
            train_fraction=1.0 if wanted.reviews is None else min(1.0, wanted.reviews / read),
            start=language.weights if language else None,
        )
        assert finished is not None, "an experiment is one process"
        test = TokenizedReviews(tokens, ["test"], encoding)
        metrics = evaluate(probabilities(score.logits(finished.model, test)), test.labels)
        figures = {
            "test_accuracy": metrics["accuracy"],
            "test_loss": metrics["log_loss"],
            "final_validation_accuracy": finished.history[-1]["validation_accuracy"],
            "weights": sum(values.numel() for name, values in finished.model.named_parameters() if name != EMBEDDING),
            "train_seconds": sum(row["epoch_seconds"] for row in finished.history),
        }
        for name, value in figures.items():
            client.log_metric(run_id, name, value)
        if wanted.gradients:
            norms = norms_by_age(finished.model, test, wanted.gradients + 1)
            points = [Metric("gradient_norm", float(norm), 0, age) for age, norm in enumerate(norms)]
            client.log_batch(run_id, metrics=points)
        # last: Lightning's logger calls the run finished as soon as the training is
        client.set_tag(run_id, KEY, wanted.key(setting))
    return run_id


class Language(NamedTuple):
    """A language model: the weights that a classifier can start from, and its MLflow run."""

    weights: dict[str, Tensor]
    run_id: str


def _pretrained(client: MlflowClient, wanted: Experiment, setting: Setting) -> Language:
    """The language model that `wanted` starts from, whatever labelled reviews it sees later."""
    once = wanted.model.model_copy(update={"max_epochs": 1, "patience": 1})  # how often labelled reviews are read, too
    common = wanted.model_copy(update={"reviews": None, "model": once})
    file = setting.work / f"language-{common.key(setting)}.safetensors"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            name = f"{wanted.model.cell}, language model"
            run_id = _start(client, common, setting, name)
            with runs.running(client, run_id):
                learned = pretrain(
                    f"{name}, seed {wanted.seed}",
                    wanted.model,
                    _one_device(setting),
                    wanted.seed,
                    tokens=setting.tokens,
                    reviews=wanted.pretraining,
                    logger=MLFlowLogger(tracking_uri=tracking_uri(), run_id=run_id),
                )
                partial = file.with_suffix(".partial")
                save_file(learned.weights, partial, metadata={"run_id": run_id})
                partial.rename(file)
    with safe_open(file, "pt") as stored:
        return Language(load_file(file), stored.metadata()["run_id"])


def _start(client: MlflowClient, wanted: Experiment, setting: Setting, name: str) -> str:
    return runs.start(
        client,
        experiment_name(setting),
        f"{name}, seed {wanted.seed}",
        params=wanted.describe(setting),
        tags={
            "architecture": name.split(",")[0],
            "claims.experiment": name,
            "seed": str(wanted.seed),
            "machine": machine(setting.trainer),
            "reproduce": "make claims",
            FOLDER: _folder(setting),
        },
        identity=load_identity(wanted.tokens(setting)),
    )


def _folder(setting: Setting) -> str:
    return f"{socket.gethostname()}:{setting.work.resolve()}"


def _one_device(setting: Setting) -> TrainerParams:
    return setting.trainer.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})


def experiment_name(setting: Setting) -> str:
    """MLflow's experiment for the claims on these reviews."""
    return f"{load_identity(setting.tokens)['dataset']}-claims"


def _experiment_id(client: MlflowClient, setting: Setting) -> str:
    return experiment(client, experiment_name(setting))
