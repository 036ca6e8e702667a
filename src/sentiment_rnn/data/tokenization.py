"""The stage tokenize: the vocabulary of train, token ids of every split, the validation split."""

from pathlib import Path
from typing import Any

import datasets
import numpy as np

from sentiment_rnn.data import imdb, split, store, tokenized, tokenizer
from sentiment_rnn.data.corpus import SPLITS, Split
from sentiment_rnn.files import atomic_folder, write_json
from sentiment_rnn.params import Params

BY_MOVIE, STRATIFIED = "disjoint by movie", "stratified, identical texts together"


def tokenize(params: Params, raw: Path, out: Path) -> dict[str, Any]:
    """Split off validation, learn the vocabulary, write the tokenizer and the ids of every review.

    Args:
        params: `data` and `tokenizer` are used.
        raw: folder of the download stage.
        out: replaced as a whole.

    Returns:
        The report: vocabulary, method of the validation split, counts of each split.
    """
    datasets.disable_progress_bars()
    identity = store.load_identity(raw)
    splits = {name: store.load_split(raw, name) for name in SPLITS}
    rows, how = split_rows(splits, params)
    if identity["dataset"] == "imdb" and how != BY_MOVIE:
        print("warning: IMDB is in another row order than the hub's: validation shares movies with train")

    print("Learning the vocabulary from train ...", flush=True)
    train = splits["train"]
    words = tokenizer.train((train.texts[row] for row in rows["train"]), **params.tokenizer.model_dump())
    report = {
        "dataset": identity["dataset"],
        "vocabulary": words.get_vocab_size(),
        "validation_split": how,
        "train_reviews_dropped_because_in_test": len(train.texts) - len(rows["train"]) - len(rows["validation"]),
    }
    with atomic_folder(out) as folder:
        words.save(str(folder / "tokenizer.json"))
        for name, selected in rows.items():
            print(f"Tokenizing {len(selected):,} {name} reviews ...", flush=True)
            source = splits["train" if name == "validation" else name]
            ids = tokenizer.encode_corpus(words, [source.texts[row] for row in selected])
            tokenized.save(ids, np.array(source.labels)[selected], selected, folder / name)
            report[name] = tokenized.describe(ids)
        write_json(folder / "dataset.json", {**identity, "tokens": store.digest(folder)})
    return report


def split_rows(splits: dict[str, Split], params: Params) -> tuple[dict[str, np.ndarray], str]:
    """Row numbers of train, validation (both of the raw train), test and unsupervised, and the method of the split."""
    train = splits["train"]
    if imdb.in_hub_order(train):
        validation, how = imdb.movie_disjoint_validation(), BY_MOVIE
    else:
        validation = split.stratified_validation(train, params.data.validation_fraction, params.data.seed)
        how = STRATIFIED
    in_test = split.overlap(train, splits["test"])
    rows = {
        "train": np.setdiff1d(np.arange(len(train.texts)), np.union1d(validation, in_test)),
        "validation": validation,
        "test": np.arange(len(splits["test"].texts)),
        "unsupervised": np.arange(len(splits["unsupervised"].texts)),
    }
    return rows, how
