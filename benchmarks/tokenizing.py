"""Time to tokenize 100,000 reviews: this project, a plain Python loop with the same rules, Keras's TextVectorization.

python -m benchmarks.tokenizing [--quick]
"""

import json
import re
import statistics
import tempfile

import numpy as np
from tokenizers import Tokenizer

from benchmarks import keras
from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio, seconds
from sentiment_rnn.data import store, tokenizer
from sentiment_rnn.data.corpus import LINE_BREAK, SPLITS, TOKEN, UNKNOWN

TITLE = "Tokenizing 100,000 reviews with a known vocabulary"
OURS, PLAIN, KERAS = "this project", "plain Python loop", "Keras's TextVectorization"
WORD = re.compile(TOKEN)


def plain(vocabulary: dict[str, int], texts: list[str]) -> list[np.ndarray]:
    """The ids of `tokenizer.encode_corpus`, in two lines of Python."""
    words = (WORD.findall(LINE_BREAK.sub(" ", text).lower()) for text in texts)
    return [np.array([vocabulary.get(word, UNKNOWN) for word in each], dtype=np.int32) for each in words]


def measure(quick: bool) -> Result:
    texts = [text for name in SPLITS for text in store.load_split("data/raw", name).texts]
    texts = texts[: 5_000 if quick else 100_000]
    words = Tokenizer.from_file("data/tokens/tokenizer.json")
    vocabulary = words.get_vocab()
    first = texts[:2_000]
    pairs = zip(tokenizer.encode_corpus(words, first), plain(vocabulary, first), strict=True)
    equal = statistics.mean(np.array_equal(a, b) for a, b in pairs)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, keras.start() as reference:
        json.dump(texts, file)
        file.flush()
        reference.call("texts", path=file.name, vocab_size=len(vocabulary))
        runs = {
            OURS: lambda: seconds(lambda: tokenizer.encode_corpus(words, texts)),
            PLAIN: lambda: seconds(lambda: plain(vocabulary, texts)),
            KERAS: lambda: reference.call("tokenize")["seconds"],
        }
        taken = interleaved(runs, 2 if quick else 3)
    rows = [
        [name, f"{statistics.median(each):.1f}", f"{len(texts) / statistics.median(each):,.0f}"]
        for name, each in taken.items()
    ]
    return Result(
        {
            f"{OURS} / {PLAIN}": Ratio(median_ratio(taken, OURS, PLAIN), 0.5),
            f"{OURS} / {KERAS}": Ratio(median_ratio(taken, OURS, KERAS)),
        },
        ["tokenizer", "median, s", "reviews/s"],
        rows,
        [
            f"{len(texts):,} reviews, {len(taken[OURS])} interleaved repeats. This project and the plain loop give the "
            f"same ids for {100 * equal:.1f}% of {len(first):,} reviews; Keras drops punctuation and truncates to 200 "
            "words."
        ],
    )


if __name__ == "__main__":
    command("tokenizing", TITLE, measure)
