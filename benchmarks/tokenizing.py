"""Ids of 100,000 reviews: this project's tokenizer, the same rules as a plain Python loop, Keras's TextVectorization.

python -m benchmarks.tokenizing [--quick]
"""

import json
import re
import statistics
import tempfile

import numpy as np
from tokenizers import Tokenizer

from benchmarks import keras
from benchmarks.measure import Ratio, Result, command, in_turn, ratio, seconds
from sentiment_rnn.data import store, tokenizer
from sentiment_rnn.data.batches import UNKNOWN
from sentiment_rnn.data.corpus import SPLITS, TOKEN

TITLE = "Tokenize: ids of 100,000 reviews, the vocabulary being known"
OURS, PLAIN, KERAS = "this project", "plain Python loop", "Keras's TextVectorization"
BREAK, WORD = re.compile(r"<br\s*/?>"), re.compile(TOKEN)


def plain(vocabulary: dict[str, int], texts: list[str]) -> list[np.ndarray]:
    """What `tokenizer.encode_corpus` gives, as one would write it."""
    return [
        np.array([vocabulary.get(word, UNKNOWN) for word in WORD.findall(BREAK.sub(" ", text).lower())], dtype=np.int32)
        for text in texts
    ]


def measure(quick: bool) -> Result:
    texts = [text for name in SPLITS for text in store.load_split("data/raw", name).texts]
    texts = texts[: 5_000 if quick else 100_000]
    words = Tokenizer.from_file("data/tokens/tokenizer.json")
    vocabulary = words.get_vocab()
    sample = texts[:2_000]
    pairs = zip(tokenizer.encode_corpus(words, sample), plain(vocabulary, sample), strict=True)
    same = statistics.mean(np.array_equal(a, b) for a, b in pairs)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, keras.started() as baseline:
        json.dump(texts, file)
        file.flush()
        baseline.ask("texts", path=file.name, vocab_size=len(vocabulary))
        runs = {
            OURS: lambda: seconds(lambda: tokenizer.encode_corpus(words, texts)),
            PLAIN: lambda: seconds(lambda: plain(vocabulary, texts)),
            KERAS: lambda: baseline.ask("tokenize")["seconds"],
        }
        taken = in_turn(runs, 2 if quick else 3)
    rows = [
        [name, f"{statistics.median(each):.1f}", f"{len(texts) / statistics.median(each):,.0f}"]
        for name, each in taken.items()
    ]
    return Result(
        {
            "this project / plain Python loop": Ratio(ratio(taken, OURS, PLAIN), 0.5),
            "this project / Keras's TextVectorization": Ratio(ratio(taken, OURS, KERAS)),
        },
        ["tokenizer", "s, median", "reviews a second"],
        rows,
        [
            f"{len(texts):,} reviews, {len(taken[OURS])} times in turn. {100 * same:.1f}% of {len(sample):,} reviews "
            "get the same ids from this project and from the plain loop; Keras drops punctuation and cuts to 200 words."
        ],
    )


if __name__ == "__main__":
    command("tokenizing", TITLE, measure)
