"""The stage tokenize: the vocabulary of train, token ids of every split, the validation split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from sentiment_rnn.data import imdb, split, store, tokenizer
from sentiment_rnn.data.checks import quantiles
from sentiment_rnn.data.corpus import SPLITS, UNKNOWN, UNLABELED, Split
from sentiment_rnn.files import atomic_folder, write_json
from sentiment_rnn.params import DataParams, Params, SyntheticDataset

BY_MOVIE, STRATIFIED, GIVEN = "disjoint by movie", "stratified, identical texts together", "given"


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
    stored = [name for name in (*SPLITS, "validation") if (raw / f"{name}.parquet").is_file()]
    splits = {name: store.load_split(raw, name) for name in stored}
    group = None if isinstance(params.dataset, SyntheticDataset) else params.dataset.group
    rows, how = split_rows(splits, params.data, group)
    if identity["dataset"] == "imdb" and how != BY_MOVIE:
        print("warning: IMDB is in another row order than the hub's: validation shares movies with train")

    print("Learning the vocabulary from train ...", flush=True)
    train = splits["train"]
    words = tokenizer.train((train.texts[row] for row in rows["train"]), **params.tokenizer.model_dump())
    dropped = len(train.texts) - len(rows["train"]) - (0 if "validation" in splits else len(rows["validation"]))
    report = {
        "dataset": identity["dataset"],
        "vocabulary": words.get_vocab_size(),
        "validation_split": how,
        "train_reviews_dropped_because_in_test": dropped,
    }
    with atomic_folder(out) as folder:
        words.save(str(folder / "tokenizer.json"))
        for name, selected in rows.items():
            print(f"Tokenizing {len(selected):,} {name} reviews ...", flush=True)
            source = splits.get(name, train)
            ids = tokenizer.encode_corpus(words, [source.texts[row] for row in selected])
            store.save_tokens(ids, np.array(source.labels, dtype=int)[selected], selected, folder / name)
            report[name] = describe(ids)
        of_tokens = {key: identity[key] for key in ("dataset", "content_hashes")}
        write_json(folder / "dataset.json", {**of_tokens, "tokens": store.digest(folder)})
    return report


def split_rows(
    splits: Mapping[str, Split], params: DataParams, group: str | None = None
) -> tuple[dict[str, np.ndarray], str]:
    """Row numbers of each split's reviews, and the method of the validation split.

    Those of validation are of the raw train, unless the data set has a validation split. Train has no text that is in
    test, nor in such a validation split, and a validation split made here has no text that is in test.
    """
    train = splits["train"]
    in_test = split.overlap(train, splits["test"])
    if "validation" in splits:
        validation, how = np.arange(len(splits["validation"].texts)), GIVEN
        elsewhere = split.overlap(train, splits["validation"])
    elif imdb.in_hub_order(train):
        elsewhere, how = imdb.movie_disjoint_validation(), BY_MOVIE
        validation = np.setdiff1d(elsewhere, in_test)
    else:
        places = split.positions(train, params.seed, train.columns[group] if group else None)
        elsewhere, how = np.flatnonzero(places < params.validation_fraction), STRATIFIED
        validation = np.setdiff1d(elsewhere, in_test)
    rows = {
        "train": np.setdiff1d(np.arange(len(train.texts)), np.union1d(elsewhere, in_test)),
        "validation": validation,
        "test": np.arange(len(splits["test"].texts)),
        UNLABELED: np.arange(len(splits[UNLABELED].texts)),
    }
    return rows, how


def describe(ids: Sequence[np.ndarray]) -> dict[str, Any]:
    """Number of reviews and tokens, fraction of unknown tokens, quantiles of the reviews' lengths."""
    if not ids:
        return {"reviews": 0}
    lengths = np.array([len(review) for review in ids])
    unknown = sum(int((review == UNKNOWN).sum()) for review in ids)
    return {
        "reviews": len(ids),
        "tokens": int(lengths.sum()),
        "unknown_fraction": round(unknown / int(lengths.sum()), 5),
        "length": quantiles(lengths),
    }
