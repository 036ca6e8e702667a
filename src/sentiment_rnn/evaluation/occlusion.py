"""Which words carried an answer: the ones without which the model would be less sure of it.

A word is left out wherever it stands, and the text is asked about again (occlusion; Zeiler & Fergus, 2014; for words
Li, Monroe & Jurafsky, 2016). That needs nothing of a model but its answers, so it works for any.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import logit

from sentiment_rnn.data.corpus import LINE_BREAK, TOKEN, split_tokens

MOST = 40  # words of an excerpt
CERTAIN = 1e-15  # a probability that float64 rounds to 0 or 1 has no log odds


def carried(ask: Callable[[list[str]], np.ndarray], texts: Sequence[str]) -> list[dict[str, float]]:
    """What each word of each text is worth to the model's answer.

    Args:
        ask: the probability of "positive" `(N,)` for each of N texts.
        texts: the reviews.

    Returns:
        For each text, by word in lower case: by how much the log odds of the label that the model gave fall when the
        word is left out. Negative: the word spoke against it. A text of a single word has none.
    """
    plain = [LINE_BREAK.sub(" ", text) for text in texts]
    asked = [(place, word, without) for place, text in enumerate(plain) for word, without in _left_out(text)]
    said = logit(np.clip(ask([*plain, *(without for _, _, without in asked)]), CERTAIN, 1 - CERTAIN))
    whole, shortened = said[: len(plain)], said[len(plain) :]
    worth: list[dict[str, float]] = [{} for _ in plain]
    for (place, word, _), left in zip(asked, shortened, strict=True):
        towards_answer = 1 if whole[place] >= 0 else -1
        worth[place][word] = float(towards_answer * (whole[place] - left))
    return worth


def _left_out(text: str) -> list[tuple[str, str]]:
    """Each word of a text, and the text without it; punctuation is no word, and something must be left."""
    read = split_tokens(text)
    if len(set(read)) < 2:
        return []
    return [(word, _without(text, word)) for word in dict.fromkeys(read) if word[0].isalnum()]


def _without(text: str, word: str) -> str:
    return re.sub(TOKEN, lambda found: " " if found[0].lower() == word else found[0], text)


def excerpt(text: str, worth: dict[str, float], most: int = MOST) -> list[tuple[str, float]]:
    """The stretch of a text, at most `most` words long, that carried the answer most.

    Returns:
        Its words as they stand in the text, each with its worth; a "…" where the text goes on.
    """
    words = LINE_BREAK.sub(" ", text).split()
    value = [max((worth.get(token, 0.0) for token in split_tokens(word)), key=abs, default=0.0) for word in words]
    sums = np.convolve(np.maximum(value, 0), np.ones(min(most, len(words))), mode="valid")
    start = int(np.argmax(sums))
    end = min(start + most, len(words))
    cut = list(zip(words[start:end], value[start:end], strict=True))
    return [("…", 0.0)] * (start > 0) + cut + [("…", 0.0)] * (end < len(words))


def ending(text: str, most: int = MOST) -> str:
    """A text's last words, where a review tends to say what it thinks."""
    words = LINE_BREAK.sub(" ", text).split()
    return " ".join((["…"] if len(words) > most else []) + words[-most:])
