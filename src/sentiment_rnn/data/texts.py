"""The raw reviews of a split as `tokenize` cut it: what the networks read as ids, here as texts."""

from pathlib import Path
from typing import NamedTuple

import datasets
import numpy as np

from sentiment_rnn.data import store
from sentiment_rnn.errors import UserError


class Reviews(NamedTuple):
    """N reviews: their `texts`, and `labels` `(N,)` of 1 positive and 0 negative."""

    texts: list[str]
    labels: np.ndarray


def load(raw: Path, tokens: Path, split: str) -> Reviews:
    """The reviews of a split (`unsupervised` ones have label -1), in the order in which the networks have them.

    Args:
        raw: folder of the download stage.
        tokens: folder of the tokenize stage, made from `raw`.
        split: its name.

    Raises:
        UserError: a folder is missing, or `tokens` was made from other reviews.
    """
    if store.load_identity(raw)["content_hashes"] != store.load_identity(tokens)["content_hashes"]:
        raise UserError(f"{tokens} was made from other reviews than those of {raw}: run `dvc repro tokenize`")
    if not (tokens / split).is_dir():
        raise UserError(f"{tokens}/{split} is not there: run `dvc repro tokenize` (or `dvc pull`)")
    cut = datasets.load_from_disk(str(tokens / split)).data.table
    texts = store.load_split(raw, "train" if split == "validation" else split).texts
    return Reviews([texts[row] for row in cut["row"].to_pylist()], cut["label"].to_numpy())
