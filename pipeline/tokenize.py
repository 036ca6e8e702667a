"""Stage tokenize: ids of every review in data/tokens, with the tokenizer; what was cut how in reports/tokens.json."""

import datasets
import numpy as np

from sentiment_rnn import params
from sentiment_rnn.data import imdb, split, store, tokenizer, written
from sentiment_rnn.files import whole_folder, write_json


def main() -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    identity = store.load_identity("data/raw")
    raw = {name: store.load_split("data/raw", name) for name in ("train", "test", "unsupervised")}
    train = raw["train"]

    if imdb.in_hub_order(train):
        validation, how = imdb.movie_disjoint_validation(), "disjoint by movie"
    else:
        validation = split.stratified_validation(train, chosen.data.validation_fraction, chosen.data.seed)
        how = "stratified, identical texts together"
        if identity["dataset"] == "imdb":
            print("warning: IMDB in another row order than the hub's: validation shares its movies with train")
    tested = split.overlap(train, raw["test"])
    rows = {
        "train": np.setdiff1d(np.arange(len(train.texts)), np.union1d(validation, tested)),
        "validation": validation,
        "test": np.arange(len(raw["test"].texts)),
        "unsupervised": np.arange(len(raw["unsupervised"].texts)),
    }

    print("Learning the vocabulary from train ...", flush=True)
    words = tokenizer.train((train.texts[row] for row in rows["train"]), **chosen.tokenizer.model_dump())
    report = {
        "dataset": identity["dataset"],
        "vocabulary": words.get_vocab_size(),
        "validation_split": how,
        "train_reviews_dropped_because_in_test": len(np.setdiff1d(tested, validation)),
    }
    with whole_folder("data/tokens") as folder:
        words.save(str(folder / "tokenizer.json"))
        for name, kept in rows.items():
            print(f"Tokenizing {len(kept):,} {name} reviews ...", flush=True)
            source = raw["train" if name == "validation" else name]
            texts = [source.texts[row] for row in kept]
            ids = tokenizer.encode_corpus(words, texts)
            written.save(ids, np.array(source.labels)[kept], kept, folder / name)
            report[name] = written.describe(ids)
        write_json(folder / "dataset.json", {**identity, "tokens": store.digest(folder)})
    write_json("reports/tokens.json", report)


if __name__ == "__main__":
    main()
