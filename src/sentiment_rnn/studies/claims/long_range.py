"""The sample's long-range dial: reviews whose verdict stands a given number of tokens before their end."""

from pathlib import Path

import numpy as np

from sentiment_rnn.data import synthetic, tokenized, tokenizer
from sentiment_rnn.data.corpus import Split, content_hash
from sentiment_rnn.data.store import digest
from sentiment_rnn.files import atomic_folder, write_json

SEED = 7
VERDICT = 24  # tokens that the longest verdict stays below


def tokenize(folder: Path, distance: int, reviews: int) -> Path:
    """Write the reviews of one distance as the tokenize stage writes its own, if they are not there yet.

    Args:
        folder: where all distances have theirs.
        distance: tokens without an opinion behind each verdict.
        reviews: of train; validation and test have a quarter each.

    Returns:
        The folder of this distance.
    """
    out = folder / f"spaced-{distance}-{reviews}"
    if out.is_dir():
        return out
    sizes = {"train": reviews, "validation": reviews // 4, "test": reviews // 4}
    splits = {
        name: Split(*synthetic.generate(size, seed=SEED + offset, dependency_length=distance))
        for offset, (name, size) in enumerate(sizes.items())
    }
    words = tokenizer.train(splits["train"].texts, vocab_size=2_000, min_frequency=1)
    with atomic_folder(out) as partial:
        words.save(str(partial / "tokenizer.json"))
        for name, split in splits.items():
            ids = tokenizer.encode_corpus(words, split.texts)
            tokenized.save(ids, np.array(split.labels), np.arange(len(ids)), partial / name)
        content_hashes = {name: content_hash(split) for name, split in splits.items()}
        identity = {"dataset": "spaced sample", "content_hashes": content_hashes, "tokens": digest(partial)}
        write_json(partial / "dataset.json", identity)
    return out
