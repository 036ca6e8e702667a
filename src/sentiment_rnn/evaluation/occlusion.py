"""Word importance by occlusion: the change of the log odds when a word is left out.

Zeiler & Fergus, 2014; for words Li, Monroe & Jurafsky, 2016. It uses only predictions, so it works for any model.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import logit

from sentiment_rnn.data.corpus import LINE_BREAK, TOKEN, split_tokens

EXCERPT_WORDS = 40
MIN_PROBABILITY = 1e-15  # a probability that float64 rounds to 0 or 1 has no log odds


def occlusion_importance(predict: Callable[[list[str]], np.ndarray], texts: Sequence[str]) -> list[dict[str, float]]:
    """The importance of each distinct word of each text for its predicted label.

    Args:
        predict: the probabilities of "positive" `(N,)` of N texts; called once.
        texts: the reviews.

    Returns:
        For each text, by word in lower case: how much the log odds of the predicted label fall when the word is left
        out everywhere. Negative: the word is evidence for the other label. A text of one distinct word has none.
    """
    plain = [LINE_BREAK.sub(" ", text) for text in texts]
    occluded = [(row, word, without) for row, text in enumerate(plain) for word, without in _occlusions(text)]
    positive = predict([*plain, *(without for _, _, without in occluded)])
    log_odds = logit(np.clip(positive, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    importance: list[dict[str, float]] = [{} for _ in plain]
    for (row, word, _), without in zip(occluded, log_odds[len(plain) :], strict=True):
        sign = 1 if log_odds[row] >= 0 else -1
        importance[row][word] = float(sign * (log_odds[row] - without))
    return importance


def _occlusions(text: str) -> list[tuple[str, str]]:
    """Each distinct word of a text, punctuation aside, and the text without it."""
    tokens = split_tokens(text)
    if len(set(tokens)) < 2:
        return []
    return [(word, _without(text, word)) for word in dict.fromkeys(tokens) if word[0].isalnum()]


def _without(text: str, word: str) -> str:
    return re.sub(TOKEN, lambda match: " " if match[0].lower() == word else match[0], text)


def excerpt(text: str, importance: dict[str, float], words: int = EXCERPT_WORDS) -> list[tuple[str, float]]:
    """The window of at most `words` words with the largest sum of positive importance.

    Returns:
        Its words as spelled in the text, each with its importance; a "…" where text is cut off.
    """
    spelled = LINE_BREAK.sub(" ", text).split()
    values = [
        max((importance.get(token, 0.0) for token in split_tokens(word)), key=abs, default=0.0) for word in spelled
    ]
    sums = np.convolve(np.maximum(values, 0), np.ones(min(words, len(spelled))), mode="valid")
    start = int(np.argmax(sums))
    end = min(start + words, len(spelled))
    window = list(zip(spelled[start:end], values[start:end], strict=True))
    return [("…", 0.0)] * (start > 0) + window + [("…", 0.0)] * (end < len(spelled))


def ending(text: str, words: int = EXCERPT_WORDS) -> str:
    """The last words of a text, where a review often has its verdict."""
    spelled = LINE_BREAK.sub(" ", text).split()
    return " ".join((["…"] if len(spelled) > words else []) + spelled[-words:])
