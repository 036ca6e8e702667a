"""How long `make best` will take on this machine: a little of each kind of its work, timed and scaled up.

The time of all the training there is: what DVC finds done it does not do again, and scoring comes on top.
"""

from pathlib import Path

import datasets
import numpy as np

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.params import RECIPE, ModelParams, Params
from sentiment_rnn.pretraining import language_model, vectors
from sentiment_rnn.progress import duration
from sentiment_rnn.training.devices import machine, one_device
from sentiment_rnn.training.fit import fit

TOKENS = Path("data/tokens")
FRACTION = 0.05  # of train, read twice: the first time builds the kernels


def main() -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    print(f"timing a little of each of the steps on {machine(chosen.trainer)} ...", flush=True)
    parts = {}
    if chosen.pretrain.kind != "none":
        parts[f"pre-training ({chosen.pretrain.kind})"] = pretraining(chosen, RECIPE[-1])
    for name in RECIPE:
        model = chosen.model_of(name)
        seeds = f", {len(model.seeds)} seeds" if len(model.seeds) > 1 else ""
        parts[f"{name}{seeds}"] = len(model.seeds) * training(name, model, chosen)
    for part, seconds in parts.items():
        print(f"  {part}: {duration(seconds)}")
    print(f"`make best` will take about {duration(sum(parts.values()))}, less what is done already")


def tokens_of(split: str, model: ModelParams) -> int:
    """How many tokens of a split the model reads."""
    lengths = TokenizedReviews(TOKENS, [split], Encoding(**model.encoding())).lengths
    return int(np.minimum(lengths, model.max_length).sum())


def training(name: str, model: ModelParams, chosen: Params) -> float:
    """Seconds of one seed: what its teachers say of the unlabelled reviews, then the labels."""
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
    taught = model.teacher_epochs * tokens_of("unsupervised", model) if model.teachers else 0
    read = taught + model.max_epochs * tokens_of("train", model)
    return read / done.history[-1]["tokens_per_second"]


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
