"""Words and punctuation to ids in order of frequency."""

import re
from collections import Counter
from random import Random

import pytest
from tokenizers import Tokenizer

from sentiment_rnn.data import tokenizer
from sentiment_rnn.data.synthetic import generate


def words_of(text: str) -> list[str]:
    """Tokens by Python's `re`."""
    return re.findall(r"\w+(?:['\u2019]\w+)*|[^\w\s]", re.sub(r"<br\s*/?>", " ", text).lower())


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return generate(300, seed=5)[0]


@pytest.fixture(scope="module")
def trained(texts) -> Tokenizer:
    return tokenizer.train(texts, vocab_size=10_000, min_frequency=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Good film.<br /><br />Really!", ["good", "film", ".", "really", "!"]),
        ("one<br>two<br/>three<br   />four", ["one", "two", "three", "four"]),
        ("It ISN'T; it\u2019s not", ["it", "isn't", ";", "it\u2019s", "not"]),
        ("'quoted' rock'n'roll dogs'", ["'", "quoted", "'", "rock'n'roll", "dogs", "'"]),
        ("10/10 ... (wow)", ["10", "/", "10", ".", ".", ".", "(", "wow", ")"]),
        ("Ünïcode café -- naïve", ["ünïcode", "café", "-", "-", "naïve"]),
        (" \t tabs\nand\u00a0lines ", ["tabs", "and", "lines"]),
    ],
)
def test_tokens_are_lowercase_words_and_punctuation(text, words):
    trained = tokenizer.train([text], vocab_size=100, min_frequency=1)
    assert trained.encode(text).tokens == words
    assert words_of(text) == words


def test_ids_are_in_order_of_frequency(texts, trained):
    counts = Counter(word for text in texts for word in words_of(text))
    frequencies = [counts[trained.id_to_token(number)] for number in range(2, trained.get_vocab_size())]
    assert frequencies == sorted(frequencies, reverse=True)
    assert set(trained.get_vocab()) == {"<pad>", "<unk>"} | {word for word in counts if counts[word] >= 2}


def test_the_vocabulary_consists_of_the_most_frequent_words(texts):
    counts = Counter(word for text in texts for word in words_of(text))
    small = tokenizer.train(texts, vocab_size=50, min_frequency=1)
    assert small.get_vocab_size() == 50
    found = sorted((counts[word] for word in small.get_vocab() if not word.startswith("<")), reverse=True)
    assert found == sorted(counts.values(), reverse=True)[:48]


@pytest.mark.parametrize("least", [1, 2, 3])
def test_rarer_words_than_min_frequency_are_unknown(least):
    trained = tokenizer.train(["one two two", "three three three"], vocab_size=100, min_frequency=least)
    known = {"one": 1, "two": 2, "three": 3}
    assert set(trained.get_vocab()) - {"<pad>", "<unk>"} == {word for word, count in known.items() if count >= least}


def test_padding_is_0_and_unknown_words_are_1(trained):
    assert (trained.token_to_id("<pad>"), trained.token_to_id("<unk>")) == (0, 1)
    (ids,) = tokenizer.encode(trained, ["the zyzzyva the"])
    assert ids.tolist() == [trained.token_to_id("the"), 1, trained.token_to_id("the")]


def test_reviews_are_encoded_in_order_without_truncation(texts, trained, monkeypatch):
    monkeypatch.setattr(tokenizer, "CHUNK", 7)
    many = [*texts[:50], "the " * 5000]
    encoded = list(tokenizer.encode(trained, many))
    assert len(encoded) == 51
    for text, ids in zip(many, encoded, strict=True):
        assert ids.dtype == "int32"
        assert [trained.id_to_token(number) for number in ids] == [
            word if trained.token_to_id(word) is not None else "<unk>" for word in words_of(text)
        ]


def test_encode_corpus_agrees_with_encode(texts, monkeypatch):
    monkeypatch.setattr(tokenizer, "CHUNK", 90)
    random = Random(3)
    pieces = [*map(chr, range(128)), *["'"] * 9, "isn't", "a", "b", "<br />", "<br\t>", "<BR />"]
    odd = ["\u2019", "é", "\u0130", "\u03a3", "\u00a0", "\u0085", "<unk>", "<pad>", "<unk", "\u0301"]
    made = ["".join(random.choices(pieces, k=random.randrange(80))) for _ in range(600)]
    made += ["".join(random.choices(pieces + odd * 3, k=40)) for _ in range(200)]
    many = [*made, *texts, "", " ", "'", "a'", "'a", "a'b", "a''b", "a'b'c", "_'_"]
    random.shuffle(many)
    words = tokenizer.train(many, vocab_size=1_000, min_frequency=2)
    encoded = tokenizer.encode_corpus(words, many)
    assert len(encoded) == len(many)
    for text, ids, alone in zip(many, encoded, tokenizer.encode(words, many), strict=True):
        assert ids.dtype == alone.dtype
        assert ids.tolist() == alone.tolist(), text
    assert tokenizer.encode_corpus(words, []) == []


def test_a_saved_tokenizer_gives_the_same_ids(texts, trained, tmp_path):
    trained.save(str(tmp_path / "tokenizer.json"))
    loaded = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert loaded.to_str() == trained.to_str()
    for before, after in zip(
        tokenizer.encode(trained, texts[:40]),
        tokenizer.encode(loaded, texts[:40]),
        strict=True,
    ):
        assert before.tolist() == after.tolist()


def test_training_twice_gives_the_same_ids(texts, trained):
    assert tokenizer.train(texts, vocab_size=10_000, min_frequency=2).get_vocab() == trained.get_vocab()
