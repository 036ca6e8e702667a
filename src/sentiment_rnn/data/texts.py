"""The raw texts of the tokenized splits, in the same order."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment_rnn.data import store
from sentiment_rnn.errors import UserError


class Reviews(NamedTuple):
    """N reviews: their `texts`, and `labels` `(N,)` of 0 and 1."""

    texts: list[str]
    labels: np.ndarray


def load(raw: Path, tokens: Path, split: str) -> Reviews:
    """Load the reviews of a split in the order of its token ids; those of `unsupervised` have label -1.

    Args:
        raw: folder of the download stage.
        tokens: folder of the tokenize stage, made from `raw`.
        split: its name.

    Raises:
        UserError: a folder is missing, or `tokens` was made from other reviews.
    """
    if store.load_identity(raw)["content_hashes"] != store.load_identity(tokens)["content_hashes"]:
        raise UserError(f"{tokens} was made from other reviews than {raw}: run `dvc repro tokenize`")
    if not (tokens / split).is_dir():
        raise UserError(f"{tokens}/{split} is missing: run `dvc repro tokenize` (or `dvc pull`)")
    table = store.load_tokens(tokens / split)
    is_part_of_train = split == "validation" and not (raw / "validation.parquet").is_file()
    texts = store.load_split(raw, "train" if is_part_of_train else split).texts
    return Reviews([texts[row] for row in table["row"].to_pylist()], table["label"].to_numpy())
