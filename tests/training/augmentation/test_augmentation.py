"""Texts for training: their labels, what they share with the behaviour suite (nothing), and bad input."""

import random
import re
import shutil
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from sentiment_rnn.data import store, tokenizer
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import split_tokens
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.behaviour import templates, words
from sentiment_rnn.evaluation.behaviour.cases import suite
from sentiment_rnn.params.model import AugmentationParams
from sentiment_rnn.training.augmentation import frames
from sentiment_rnn.training.augmentation.generate import GENERATORS, Sources, from_frames, generate, spans, texts
from sentiment_rnn.training.augmentation.lexicon import Lexicon, learn
from sentiment_rnn.training.augmentation.phrases import Phrases
from sentiment_rnn.training.augmentation.rewrites import affirm, exchange, negate, polarity, rewritten, swap
from sentiment_rnn.training.datamodule import ReviewsDataModule

ENCODING = Encoding(vocab_size=1000, max_length=64, truncation="head", padding="post")
GOOD, BAD = ("wonderful", "superb", "brilliant", "touching"), ("awful", "inept", "lame", "horrid")
LEXICON = Lexicon((list(BAD), list(GOOD)), {word: 2.0 - 4 * (word in BAD) for word in (*GOOD, *BAD)})
SHARED = 5  # consecutive tokens that no training frame has in common with a template of the suite


def reviews() -> tuple[list[str], np.ndarray]:
    """400 reviews of three sentences; "boring" is as polar as the others, "coherent" occurs in negations only."""
    rng = random.Random(0)
    written, labels = [], []
    for row in range(400):
        label = row % 2
        word, word2 = rng.sample(GOOD if label else (*BAD, "boring"), 2)
        negated = "" if label else "There was no coherent story, a coherent one would be very coherent. "
        written.append(
            f"{negated}The plot was {word}. It is a very {word2} film, a {word} one. The cat number {row} sat there."
        )
        labels.append(label)
    return written, np.array(labels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Token ids of `reviews`."""
    folder = tmp_path_factory.mktemp("tokens")
    written, labels = reviews()
    learned = tokenizer.train(written, 1000, 1)
    learned.save(str(folder / "tokenizer.json"))
    store.save_tokens(tokenizer.encode_corpus(learned, written), labels, np.arange(len(written)), folder / "train")
    shutil.copytree(folder / "train", folder / "validation")
    return folder


def runs(text: str) -> set[tuple[str, ...]]:
    """All runs of `SHARED` tokens of a template; a slot is a token that no other template has."""
    slots = iter(range(1000))
    tokens = [
        f"{token}{next(slots)}{text}" if token == "{}" else token for token in re.findall(r"\{\}|[\w']+|[^\w\s]", text)
    ]
    return {tuple(tokens[start : start + SHARED]) for start in range(len(tokens) - SHARED + 1)}


def skeleton(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template).lower()


def expanded(frame: str) -> list[str]:
    """A frame with each choice of `[a|b]`, each with three values of its neutral slots; the others stay."""
    rng = random.Random(frame)
    parts = [part.split("|") if number % 2 else [part] for number, part in enumerate(re.split(r"[\[\]]", frame))]
    return [
        re.sub(
            r"\{(\w+)\}",
            lambda slot: rng.choice(frames.NEUTRAL_WORDS.get(slot[1], (slot[0],))),
            re.sub(" +", " ", "".join(choice)),
        )
        for choice in product(*parts)
        for _ in range(3)
    ]


def suite_templates() -> list[str]:
    found = [
        template
        for tests in templates.MINIMUM_FUNCTIONALITY.values()
        for each in tests.values()
        for template in (*each.both, *each.negative, *each.positive)
    ]
    for more in (
        templates.VERDICTS,
        templates.THREE_WORDS,
        templates.FACTS,
        templates.IRRELEVANT,
        templates.CONTRACTIBLE,
        templates.IN_GROUP,
        templates.PRAISE,
        templates.BLAME,
        templates.DEGREE,
    ):
        found += more
    return found + [text for text, _ in templates.FIRST_SENTENCES]


def test_frames_and_neutral_words_share_nothing_with_the_suite():
    tested = [skeleton(template) for template in suite_templates()]
    trained = [
        skeleton(text)
        for frame in (*frames.BOTH, *frames.NEGATIVE, *frames.POSITIVE, *frames.NEUTRAL)
        for text in expanded(frame)
    ]
    plain = {" ".join(re.findall(r"\{\}|[\w']+", text)) for text in tested} - {"{}", "{} {}"}  # a word alone
    assert plain.isdisjoint(" ".join(re.findall(r"\{\}|[\w']+", text)) for text in trained)
    assert set().union(*map(runs, tested)).isdisjoint(set().union(*map(runs, trained)))
    tested_words = {
        word.lower() for group in (words.NAMES, words.PLACES, words.ADDRESSES, *words.GROUPS.values()) for word in group
    }
    assert tested_words.isdisjoint((*frames.NAMES, *frames.PLACES, *frames.GROUPS))
    assert not {word for address in words.ADDRESSES for word in split_tokens(address) if len(word) > 4} & {
        word for address in frames.ADDRESSES for word in address.split() if word != "https"
    }
    by_hand = {
        word for named in (frames.NOUNS, frames.QUALITIES, *frames.VERBS, frames.DOES) for word in sum(named, ())
    }
    assert words.POLAR.isdisjoint({*" ".join(trained).split(), *by_hand})


def test_generated_texts_have_no_word_of_polarity_of_the_suite_and_are_none_of_its_texts(folder):
    made = generate(folder, list(GENERATORS), 3000, seed=1)
    generated = texts(folder, made.ids)
    assert "boring" in reviews()[0][0] + reviews()[0][2] + reviews()[0][4]
    for text in generated:
        assert words.POLAR.isdisjoint(text.split()), text
    tested = {" ".join(split_tokens(text)) for case in suite() for text in case.texts}
    assert tested.isdisjoint(generated)


def test_the_lexicon_has_the_adjectives_of_train_without_those_of_the_suite():
    written, labels = reviews()
    tokens = [split_tokens(text) for text in written]
    vocabulary = sorted({token for review in tokens for token in review})
    lexicon = learn([np.array([vocabulary.index(token) for token in review]) for review in tokens], labels, vocabulary)
    assert {*lexicon.adjectives[0]} == {*BAD}, "neither boring, which is tested, nor coherent, which was negated"
    assert {*lexicon.adjectives[1]} == {*GOOD}
    assert set(lexicon.opposites("awful", 2)) <= {*GOOD}


def test_neutral_words_are_equally_frequent_and_neither_tested_nor_negations_nor_contrasts():
    written, labels = reviews()
    tokens = [split_tokens(f"{text} It has no plot but a boring cat.") for text in written]
    vocabulary = sorted({token for review in tokens for token in review})
    lexicon = learn([np.array([vocabulary.index(token) for token in review]) for review in tokens], labels, vocabulary)
    assert {"plot", "cat", "has"} <= lexicon.neutral
    assert lexicon.neutral.isdisjoint({"no", "but", "boring", *GOOD, *BAD})


def test_frames_have_the_phrases_of_train_beside_their_own():
    phrases = Phrases(["the zebra"], ["over the hill"], ["plays the zebra"])
    sources = Sources(random.Random(1), [], [], LEXICON, phrases)
    made = [" ".join(text.tokens) for text in islice(from_frames(sources), 2000)]
    for phrase in ("the zebra", ", over the hill ,", "who plays the zebra", *frames.NEUTRAL_WORDS["aside"][:3]):
        assert any(phrase in text for text in made), phrase


@pytest.mark.parametrize(
    ("rule", "sentence", "pair"),
    [
        (negate, "the plot was awful .", ("the plot was awful .", 0, "the plot {} awful .", 1)),
        (negate, "all of them are superb !", ("all of them are superb !", 1, "all of them {} superb !", 0)),
        (negate, "the plot was not awful .", None),
        (negate, "the plot was awful , the cast superb .", None),
        (negate, "the awful plot was long .", None),
        (negate, "the plot was awful and boring .", None),
        (affirm, "it is not superb .", ("it is superb .", 1, "it is not superb .", 0)),
        (affirm, "it wasn't awful .", ("it was awful .", 0, "it wasn't awful .", 1)),
        (affirm, "it wasn't long .", None),
        (affirm, "it is not superb , nor awful .", None),
        (exchange, "an awful plot .", ("an awful plot .", 0, "an {} plot .", 1)),
        (exchange, "a plot .", None),
        (swap, "awful plot , but superb cast !", ("awful plot , but superb cast .", 1,
            "superb cast , but awful plot .", 0)),
        (swap, "an awful plot , but an inept cast .", None),
        (swap, "not an awful plot , but a superb cast .", None),
        (swap, "an awful plot but a long cast .", None),
    ],
)  # fmt: skip
def test_a_rule_gives_a_sentence_and_its_counterpart_or_nothing(rule, sentence, pair):
    for seed in range(5):
        made = rule(sentence.split(), LEXICON, random.Random(seed))
        if pair is None:
            assert made == []
            continue
        first, label, second, opposite = pair
        pattern = re.escape(second).replace(r"\{\}", r"[\w' ]+")
        assert (" ".join(made[0].tokens), made[0].label, made[1].label) == (first, label, opposite)
        assert re.fullmatch(pattern, " ".join(made[1].tokens))
        assert made[0].tokens != made[1].tokens


def test_a_sentence_has_a_polarity_only_if_its_adjectives_agree():
    assert polarity(["superb", "touching"], LEXICON) == 1
    assert polarity(["superb", "awful"], LEXICON) is None
    assert polarity(["although", "awful"], LEXICON) is None


def test_long_sentences_are_not_rewritten():
    long = ["so"] * 40 + ["the", "plot", "was", "awful", "."]
    assert list(rewritten([long], LEXICON, random.Random(0))) == []
    assert len(list(rewritten([[*long[40:], *long]], LEXICON, random.Random(0)))) == 2


def test_labels_are_soft_and_balanced_and_a_seed_gives_the_same_texts(folder):
    made = generate(folder, list(GENERATORS), 1000, seed=1)
    assert len(made.ids) == len(made.labels) == 1000
    assert made.labels.dtype == np.float32
    assert set(np.round(made.labels.astype(float), 4)) == {0.2, 0.6, 0.8}
    assert made.labels.mean() == pytest.approx(0.5, abs=0.05)
    again, other = generate(folder, list(GENERATORS), 1000, seed=1), generate(folder, list(GENERATORS), 1000, seed=2)
    assert texts(folder, again.ids) == texts(folder, made.ids) != texts(folder, other.ids)


def test_a_frame_has_the_label_of_its_word_and_a_neutral_addition_keeps_the_label(folder):
    made = generate(folder, ["frames"], 500, seed=1)
    for text, label in zip(texts(folder, made.ids), made.labels, strict=True):
        polar = [word for word in text.split() if word in (*GOOD, *BAD)]
        if "not" in text.split() and len(polar) == 1 and "in it" not in text:
            assert (polar[0] in GOOD) == (label < 0.5), text
    pairs = generate(folder, ["neutral"], 400, seed=1)
    assert 0.05 < np.mean(np.isclose(pairs.labels, 0.6)) < 0.4
    for first, second in zip(pairs.labels[::2], pairs.labels[1::2], strict=True):
        assert first == second


def test_spans_are_sentences_of_one_review_the_same_in_each_call(tokens):
    unlabeled = [" ".join(split_tokens(text)) for text in store.load_split(tokens.parent / "raw", "unsupervised").texts]
    found = spans(tokens, 50)
    for text in texts(tokens, found):
        assert "<unk>" in text or any(text in review for review in unlabeled)
        assert text[-1] in ".!?"
    assert texts(tokens, found) == texts(tokens, spans(tokens, 50))


def test_an_epoch_has_the_fraction_of_generated_texts_with_their_labels(folder):
    params = AugmentationParams(fraction=0.2, kinds=["frames"], spans=0)
    data = ReviewsDataModule(folder, ENCODING, 10, "holdout", 3, augmentation=params)
    assert len(data.train) == 500
    assert len(data.eval_set) == 400
    made = generate(folder, ["frames"], 100, seed=3)
    assert [data.train.token_ids(row).tolist() for row in range(400, 500)] == [ids.tolist() for ids in made.ids]
    batches = [batch for rows in data.train_dataloader().sampler for batch in [data.train[rows]]]
    seen = np.sort(np.concatenate([batch.labels.numpy() for batch in batches]))
    assert np.array_equal(seen, np.sort(np.concatenate([reviews()[1], made.labels]).astype(np.float32)))


def test_distillation_learns_the_teachers_labels_of_spans(tokens):
    params = AugmentationParams(fraction=0.0, kinds=["frames"], spans=7)
    unlabeled = len(ReviewsDataModule(tokens, ENCODING, 10, "distillation", 3).train)
    labels = np.linspace(0, 1, unlabeled + 7)
    data = ReviewsDataModule(tokens, ENCODING, 10, "distillation", 3, labels=labels, augmentation=params)
    found = [data.train.token_ids(unlabeled + row).tolist() for row in range(7)]
    assert found == [ids.tolist() for ids in spans(tokens, 7)]
    assert data.train.labels[-1] == 1
    with pytest.raises(UserError, match="labels for the"):
        ReviewsDataModule(tokens, ENCODING, 10, "distillation", 3, labels=labels[:-7], augmentation=params)


@pytest.mark.parametrize("changed", ["topics", "reversed", "few"])
def test_without_opinions_or_adjectives_there_is_no_augmentation_and_it_is_printed(tmp_path, folder, capsys, changed):
    written, labels = reviews()
    if changed == "topics":  # the same texts, with labels that have nothing to do with the opinion
        labels = np.arange(len(written)) % 4 // 2
    elif changed == "reversed":  # class 1 has the blame: adjectives enough, but their labels would be wrong
        labels = 1 - labels
    else:
        written = [text.replace("superb", "wonderful").replace("brilliant", "wonderful") for text in written]
    learned = tokenizer.train(written, 1000, 1)
    learned.save(str(tmp_path / "tokenizer.json"))
    for split in ("train", "validation"):
        rows = np.arange(len(written))
        store.save_tokens(tokenizer.encode_corpus(learned, written), labels, rows, tmp_path / split)
    params = AugmentationParams(fraction=0.5, kinds=["frames"], spans=0)
    data = ReviewsDataModule(tmp_path, ENCODING, 10, "holdout", 3, augmentation=params)
    assert len(data.train) == len(written)
    assert capsys.readouterr().out.startswith("augmentation: none, as the labels of train are not of opinions")
    assert len(ReviewsDataModule(folder, ENCODING, 10, "holdout", 3, augmentation=params).train) == 2 * len(written)


def test_every_generator_goes_on(folder):
    for kind in GENERATORS:
        assert len(generate(folder, [kind], 4000, seed=1).ids) == 4000
    assert list(islice(GENERATORS, 2)) == ["frames", "rewrites"]
