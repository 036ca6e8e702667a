"""Pre-train an architecture: one MLflow run; the weights as files."""

import shutil
import time
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.params import ModelParams, PretrainParams, TrainerParams, with_values
from sentiment_rnn.pretraining import language_model, vectors, weights
from sentiment_rnn.pretraining.weights import Learned
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import one_device
from sentiment_rnn.training.logger import RunLogger

# the classifier's dropout is for the few reviews that have a label, and is changed often: it should not cost this again
WITHOUT_DROPOUT = {"word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0}


def learn(
    name: str,
    model: ModelParams,
    params: PretrainParams,
    trainer: TrainerParams,
    *,
    vocab_size: int,
    tokens: Path,
    work: Path,
    out: Path,
) -> dict[str, Any]:
    """Learn what `params.kind` says, write the weights.

    Args:
        name: the architecture's.
        model: its parameters.
        params: how it is pre-trained.
        trainer: Trainer's parameters; a language model is trained by one process on one device.
        vocab_size: of the tokenizer.
        tokens: folder of the tokenize stage.
        work: folder where the run's id waits in case the process is killed.
        out: the weights' folder.

    Returns:
        What there is to report.
    """
    identity = load_identity(tokens)
    learned_by: dict[str, Any] = {"kind": params.kind, "seed": params.seed}
    if params.kind != "none":
        learned_by |= getattr(params, params.kind).model_dump()
    client = connect()
    note = work / "run.json"
    if note.exists():  # it was killed: pre-training begins again
        runs.end_killed(client, read_json(note)["run_id"])
    run_id = runs.start(
        client,
        f"{identity['dataset']}-pretrain",
        f"{name}, {params.kind}",
        params={**model.encoding(), **model.architecture(), **WITHOUT_DROPOUT, **learned_by},
        tags={
            "architecture": name,
            "kind": params.kind,
            "seed": str(params.seed),
            "reproduce": f"python -m pipeline.pretrain {name}",
        },
        identity=identity,
    )
    write_json(note, {"run_id": run_id})
    with runs.running(client, run_id):
        began = time.perf_counter()
        learned = _learn(client, run_id, name, model, params, trainer, vocab_size, tokens)
        seconds = time.perf_counter() - began
        weights.save(learned.weights, learned_by, tokens, out)
        for file in (weights.WEIGHTS, weights.DESCRIPTION):
            client.log_artifact(run_id, str(out / file), "weights")
        client.log_metric(run_id, "seconds", seconds)
    shutil.rmtree(work)
    return {
        "architecture": name,
        "kind": params.kind,
        "seconds": seconds,
        "words": _words(learned),
        "parameters": sum(values.numel() for values in learned.weights.values()),
        "history": learned.history,
        "run_id": run_id,
    }


def _learn(
    client: MlflowClient,
    run_id: str,
    name: str,
    model: ModelParams,
    params: PretrainParams,
    trainer: TrainerParams,
    vocab_size: int,
    tokens: Path,
) -> Learned:
    if params.kind == "vectors":
        label = f"{name}, vectors"
        learned = vectors.learn(label, model, params.vectors, params.seed, tokens=tokens, vocab_size=vocab_size)
        for row in learned.history:
            client.log_metric(run_id, "epoch_seconds", row["epoch_seconds"], step=int(row["epoch"]))
        return learned
    if params.kind == "lm":
        return language_model.pretrain(
            f"{name}, language model",
            with_values(model, {"learning_rate": params.lm.learning_rate, **WITHOUT_DROPOUT}),
            one_device(trainer),
            params.seed,
            tokens=tokens,
            reviews=params.lm.reviews,
            logger=RunLogger(run_id),
            max_epochs=params.lm.max_epochs,
        )
    return Learned({}, [])


def _words(learned: Learned) -> int:
    """How many words have a vector that is not all zeros."""
    embedding = learned.weights.get(weights.EMBEDDING)
    return 0 if embedding is None else int(embedding.any(dim=1).sum())
