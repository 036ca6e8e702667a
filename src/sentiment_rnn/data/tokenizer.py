"""Word-level tokenizer of Hugging Face's `tokenizers`: words and punctuation, ids in order of frequency."""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from sentiment_rnn.data.corpus import LINE_BREAK, PAD, TOKEN, UNKNOWN

SPECIAL = ["<pad>", "<unk>"]
SPACE, IN_WORD, MARK = range(3)
# class of each byte of ASCII in the pattern `TOKEN`, except apostrophes inside words
KINDS = np.array([IN_WORD if chr(b).isalnum() or b == ord("_") else MARK for b in range(128)], dtype=np.uint8)
KINDS[[ord(space) for space in " \t\n\v\f\r"]] = SPACE
CHUNK = 2_000  # texts per call of the library: limits the memory of its Encoding objects


def train(texts: Iterable[str], vocab_size: int, min_frequency: int) -> Tokenizer:
    """Learn a vocabulary of words that occur `min_frequency` times or more.

    Id 0 is padding, id 1 the unknown word; words follow in descending order of frequency, so that a model can use the
    first `vocab_size` ids and read the rest as unknown.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token=SPECIAL[UNKNOWN]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(LINE_BREAK.pattern), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN), behavior="removed", invert=True)
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=SPECIAL,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    assert [tokenizer.token_to_id(token) for token in SPECIAL] == [PAD, UNKNOWN]
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> Iterator[np.ndarray]:
    """Ids of each text, not truncated, `(n,)` int32."""
    for start in range(0, len(texts), CHUNK):
        for encoding in tokenizer.encode_batch_fast(texts[start : start + CHUNK]):
            yield np.array(encoding.ids, dtype=np.int32)


def encode_corpus(tokenizer: Tokenizer, texts: list[str]) -> list[np.ndarray]:
    """The same ids as `encode`, several times faster for thousands of texts.

    The library also computes the position of each token in the text, which is not needed here. ASCII texts, about 90%,
    are tokenized by vectorized code, which follows the same rules.
    """
    words = pa.array(sorted(vocabulary := tokenizer.get_vocab(), key=vocabulary.__getitem__))

    def encode_chunk(chunk: list[str]) -> list[np.ndarray]:
        plain = [text.isascii() and not any(token in text for token in SPECIAL) for text in chunk]
        plain_ids = iter(_encode_ascii(words, list(itertools.compress(chunk, plain))))
        other_ids = encode(tokenizer, [text for text, is_plain in zip(chunk, plain, strict=True) if not is_plain])
        return [next(plain_ids if is_plain else other_ids) for is_plain in plain]

    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    with ThreadPoolExecutor() as pool:  # numpy, Arrow and the library release the global interpreter lock
        return [ids for encoded in pool.map(encode_chunk, chunks) for ids in encoded]


def _encode_ascii(words: pa.Array, texts: list[str]) -> list[np.ndarray]:
    """Ids of ASCII texts, which are indices into `words`; the texts are concatenated and processed as bytes."""
    spaced = [LINE_BREAK.sub(" ", text) + " " for text in texts]
    data = np.frombuffer("".join(spaced).lower().encode(), np.uint8)
    kind = KINDS[data]
    inside = kind == IN_WORD
    inner = np.flatnonzero(data == ord("'"))
    inner = inner[inside[inner - 1] & inside[inner + 1]]  # the last text ends in a space
    inside[inner] = True
    begins = inside & ~np.roll(inside, 1) | (kind == MARK) & ~inside
    nonspace = kind != SPACE  # the concatenated tokens without spaces: the layout of Arrow's strings
    offsets = np.append(np.flatnonzero(begins[nonspace]), np.count_nonzero(nonspace)).astype(np.int32)
    tokens = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data[nonspace]))
    ids = pc.fill_null(pc.index_in(tokens, words), UNKNOWN).to_numpy().astype(np.int32)
    ends = np.cumsum(begins)[
        np.cumsum([len(text) for text in spaced], dtype=int) - 1
    ]  # of each text, in tokens of the concatenation
    return [ids[start:end] for start, end in itertools.pairwise([0, *ends])]
