"""The long-range task: synthetic reviews whose verdict is a given number of tokens before their end."""

import hashlib
import json
from pathlib import Path

import numpy as np

from sentiment_rnn.data import corpus, store, synthetic, tokenizer
from sentiment_rnn.data.corpus import Split, content_hash
from sentiment_rnn.files import atomic_folder, write_json

SEED = 7
VOCAB_SIZE = 2_000
MAX_VERDICT = 24  # tokens; every verdict has fewer
CODE = (corpus, store, synthetic, tokenizer)  # the modules that decide what is written


def tokenize(folder: Path, dependency_length: int, reviews: int) -> Path:
    """Write the task's tokenized reviews as the stage tokenize does, unless they are cached.

    Args:
        folder: for the caches.
        dependency_length: tokens without an opinion after each verdict.
        reviews: in train; validation and test have a quarter each.

    Returns:
        A subfolder of `folder`, named after the arguments and a hash of them and of the generating code.
    """
    out = folder / f"long-range-{dependency_length}-{reviews}-{_cache_key(dependency_length, reviews)}"
    if out.is_dir():
        return out
    sizes = {"train": reviews, "validation": reviews // 4, "test": reviews // 4}
    splits = {
        name: Split(*synthetic.generate(size, seed=SEED + offset, dependency_length=dependency_length))
        for offset, (name, size) in enumerate(sizes.items())
    }
    words = tokenizer.train(splits["train"].texts, vocab_size=VOCAB_SIZE, min_frequency=1)
    with atomic_folder(out) as partial:
        words.save(str(partial / "tokenizer.json"))
        for name, split in splits.items():
            ids = tokenizer.encode_corpus(words, split.texts)
            store.save_tokens(ids, np.array(split.labels), np.arange(len(ids)), partial / name)
        content_hashes = {name: content_hash(split) for name, split in splits.items()}
        identity = {"dataset": "long-range", "content_hashes": content_hashes, "tokens": store.digest(partial)}
        write_json(partial / "dataset.json", identity)
    return out


def _cache_key(dependency_length: int, reviews: int) -> str:
    digest = hashlib.sha256(json.dumps([SEED, VOCAB_SIZE, dependency_length, reviews]).encode())
    for module in CODE:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:12]
