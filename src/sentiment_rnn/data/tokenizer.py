"""Texts to ids by Hugging Face's `tokenizers`: words and punctuation, ids in order of frequency."""

from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from sentiment_rnn.data.batches import PAD, UNKNOWN
from sentiment_rnn.data.corpus import TOKEN

CHUNK = 2_000  # texts handed to the library at a time: bounds the memory its Encoding objects take


def train(texts: Iterable[str], vocab_size: int, min_frequency: int) -> Tokenizer:
    """Learn a vocabulary of words that occur `min_frequency` times or more.

    Id 0 pads, id 1 is the unknown word, then words from the most frequent to the least: a model can keep the first
    `vocab_size` ids and read the rest as unknown.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"<br\s*/?>"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), behavior="removed", invert=True)
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=["<pad>", "<unk>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    assert (tokenizer.token_to_id("<pad>"), tokenizer.token_to_id("<unk>")) == (PAD, UNKNOWN)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> Iterator[np.ndarray]:
    """Each text's ids, whole, `(n,)` int32."""
    for start in range(0, len(texts), CHUNK):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + CHUNK]):
            yield np.array(encoding.ids, dtype=np.int32)
