"""How long `make best` will take on this machine: a little of each kind of its work, timed and scaled up.

The time of all stages of best/dvc.yaml, but for the seconds in which each starts; what DVC finds done it does not do
again. The linear rivals, which dvc.yaml trains, are not counted.
"""

import time
from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.inference import score
from sentiment_rnn.linear import reviews
from sentiment_rnn.linear.ngrams import counter
from sentiment_rnn.params import RECIPE, ModelParams, Params
from sentiment_rnn.pretraining import language_model, vectors
from sentiment_rnn.progress import duration
from sentiment_rnn.training.devices import machine, one_device
from sentiment_rnn.training.fit import fit

RAW, TOKENS = Path("data/raw"), Path("data/tokens")
FRACTION = 0.05  # of train, read twice: the first time builds the kernels


def main() -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    print(f"timing a little of each of the steps on {machine(chosen.trainer)} ...", flush=True)
    parts = {}
    if chosen.pretrain.kind != "none":
        parts[f"pre-training ({chosen.pretrain.kind})"] = pretraining(chosen, RECIPE[-1])
    paces: dict[str, Pace] = {}
    for name in RECIPE:
        model = chosen.model_of(name)
        if model.teachers:
            parts[f"{name}'s teachers"] = teaching(model, chosen, paces)
        paces[name] = pace(name, model, chosen)
        seeds = f", {len(model.seeds)} seeds" if len(model.seeds) > 1 else ""
        parts[f"{name}{seeds}"] = len(model.seeds) * training(model, paces[name])
    parts["evaluation"] = evaluation(chosen.model_of(RECIPE[-1]), paces[RECIPE[-1]])
    for part, seconds in parts.items():
        print(f"  {part}: {duration(seconds)}")
    print(f"`make best` will take about {duration(sum(parts.values()))}, less what is done already")


class Pace(NamedTuple):
    """Seconds that a token takes a network where it learns, and where it is only asked."""

    learning: float
    asking: float


def pace(name: str, model: ModelParams, chosen: Params) -> Pace:
    """Of an architecture: it learns from a little of train, and is asked about validation."""
    changes = {"max_epochs": 2, "patience": 2, "pretrained": False, "teachers": []}
    done = fit(
        f"{name}, timed",
        params.with_values(model, changes),
        one_device(chosen.trainer),
        seed=0,
        tokens=TOKENS,
        checkpoints=None,
        logger=False,
        train_fraction=FRACTION,
    )
    assert done is not None, "one process"
    began = time.perf_counter()
    score.logits(done.model, done.data.scored)
    asked = time.perf_counter() - began
    return Pace(1 / done.history[-1]["tokens_per_second"], asked / tokens_of(model, "validation"))


def tokens_of(model: ModelParams, *splits: str) -> int:
    """How many tokens of some splits the model reads."""
    lengths = TokenizedReviews(TOKENS, list(splits), Encoding(**model.encoding())).lengths
    return int(np.minimum(lengths, model.max_length).sum())


def training(model: ModelParams, pace: Pace) -> float:
    """Seconds of one seed: what its teachers say of the unlabelled reviews, then the labels; validation each time."""
    taught = model.teacher_epochs if model.teachers else 0
    learned = taught * tokens_of(model, "unsupervised") + model.max_epochs * tokens_of(model, "train")
    asked = (taught + model.max_epochs) * tokens_of(model, "validation")
    if model.refit:
        learned += model.max_epochs * tokens_of(model, "train", "validation")
        asked += model.max_epochs * tokens_of(model, "validation")
    return learned * pace.learning + asked * pace.asking


def teaching(model: ModelParams, chosen: Params, paces: dict[str, Pace]) -> float:
    """Seconds until a model's teachers, networks whose pace is known and linear rivals, have said what it learns."""
    seconds = 0.0
    for teacher in model.teachers:
        if teacher in paces:
            network = chosen.model_of(teacher)
            tokens = tokens_of(network, "validation", "unsupervised")
            seconds += len(network.seeds) * tokens * paces[teacher].asking
        else:
            asked = len(TokenizedReviews(TOKENS, ["validation", "unsupervised"], Encoding(**model.encoding())))
            seconds += asked * counting(chosen.rival_of(teacher).max_ngram)
    return seconds


def counting(max_ngram: int) -> float:
    """Seconds that a review's n-grams take a linear rival; all else that it does takes next to none."""
    texts = reviews.load(RAW, TOKENS, "validation").texts
    ngrams = counter(max_ngram).fit(texts)
    began = time.perf_counter()
    ngrams.transform(texts)
    return (time.perf_counter() - began) / len(texts)


def evaluation(model: ModelParams, pace: Pace) -> float:
    """Seconds until the registered model is calibrated and tested; of an average each seed is tested alone, too."""
    members = len(model.seeds) if model.average else 1
    tests = 2 if members > 1 else 1
    return members * pace.asking * (tokens_of(model, "validation") + tests * tokens_of(model, "test"))


def pretraining(chosen: Params, name: str) -> float:
    """Seconds of pre-training for an architecture."""
    model, pretrain = chosen.model_of(name), chosen.pretrain
    if pretrain.kind == "vectors":
        once = pretrain.vectors.model_copy(update={"epochs": 1})
        vocab_size = chosen.tokenizer.vocab_size
        done = vectors.learn(
            f"{name}, timed", model, once, 0, tokens=TOKENS, vocab_size=vocab_size, splits=["validation"]
        )
        whole, timed = (
            TokenizedReviews(TOKENS, splits, Encoding(**model.encoding())).lengths.sum()
            for splits in (list(vectors.SPLITS), ["validation"])
        )
        return pretrain.vectors.epochs * done.history[0]["epoch_seconds"] * float(whole / timed)
    read = min(pretrain.lm.reviews, len(TokenizedReviews(TOKENS, ["unsupervised"], Encoding(**model.encoding()))))
    few = max(1, read // 50)
    trainer = one_device(chosen.trainer)
    done = language_model.pretrain(
        f"{name}, timed", model, trainer, 0, tokens=TOKENS, reviews=few, logger=False, max_epochs=2
    )
    return pretrain.lm.max_epochs * done.history[-1]["epoch_seconds"] * read / few


if __name__ == "__main__":
    main()
