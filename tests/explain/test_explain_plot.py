"""The picture and the table hold what the trace holds, whatever the words are."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from rich.console import Console

from sentiment_rnn.explain.plot import BAND, BANDS, draw
from sentiment_rnn.explain.table import table
from sentiment_rnn.explain.trace import Trace

CELLS = {
    "lstm": ["forget", "input", "output", "|c|", "|h|"],
    "gru": ["reset", "update", "|h|"],
    "rnn": ["|h|"],
}
HOSTILE = ["[red]", "[/]", "$", "$x_$", "<b>", "&amp;", "\\frac", "%", "_", "映画", "\ufffd"]


def walked(measures: list[str], words: list[str], directions: int = 2) -> Trace:
    random = np.random.default_rng(0)
    count = len(words)
    return Trace(
        words,
        known=random.random(count) > 0.2,
        cells={
            direction: {name: random.random(count) for name in measures}
            for direction in ("forward", "backward")[:directions]
        },
        pooling={"max": random.dirichlet(np.full(count, 0.1)), "mean": np.full(count, 1 / count)},
        probability=random.random(count),
        notes=["a note"],
    )


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(("cell", "directions"), [("lstm", 2), ("gru", 1), ("rnn", 1)])
def test_each_cell_has_its_rows_with_the_values_written_in(cell, directions, tmp_path):
    trace = walked(CELLS[cell], HOSTILE, directions)
    figure = draw(trace, "a [title] of $5 or $6")
    probability, pooling, *cells = figure.axes
    assert len(cells) == directions
    assert [label.get_text() for label in pooling.get_xticklabels()] == HOSTILE
    assert list(probability.lines[1].get_ydata()) == list(trace.probability)
    assert [bar.get_height() for bar in pooling.containers[0]] == pytest.approx(100 * trace.pooling["max"])
    for axis, measures in zip(cells, trace.cells.values(), strict=True):
        written = [text.get_text() for text in axis.texts]
        assert written == [f"{value:.2f}".removeprefix("0") for values in measures.values() for value in values]
        assert len(axis.images) == len(measures)
    figure.savefig(tmp_path / "trace.png")
    assert plt.imread(tmp_path / "trace.png")[..., :3].std() > 0.05, "an empty picture has one colour"
    plt.close(figure)


@pytest.mark.parametrize("count", [1, BAND + 1, BAND * BANDS])
def test_up_to_120_words_are_drawn_whole_in_bands(count):
    figure = draw(walked(["|h|"], [f"word{number}" for number in range(count)]), "title")
    drawn = [label.get_text() for axis in figure.axes[1::4] for label in axis.get_xticklabels()]
    assert drawn == [f"word{number}" for number in range(count)]
    assert len(figure.axes) == 4 * -(-count // BAND)
    plt.close(figure)


def test_of_a_longer_review_the_bands_that_are_pooled_most():
    count = 10 * BAND
    trace = walked(["|h|"], [f"word{number}" for number in range(count)])
    shares = np.full(count, 0.1 / count)
    shares[[5, 100, 101, 299]] += [0.2, 0.1, 0.4, 0.2]
    figure = draw(Trace(**vars(trace) | {"pooling": {"max": shares}}), "title")
    drawn = [label.get_text() for axis in figure.axes[1::4] for label in axis.get_xticklabels()]
    assert len(drawn) == BAND * BANDS
    assert {"word5", "word100", "word101", "word299"} <= set(drawn)
    assert drawn == sorted(drawn, key=lambda word: int(word.removeprefix("word")))
    assert figure.axes[0].get_title(loc="left") == "words 1 to 30 of 300"
    assert "drawn are the words that 94% of the pooling comes from" in figure.get_supxlabel()
    plt.close(figure)


def test_the_table_has_a_line_a_word_as_it_stands():
    trace = walked(CELLS["lstm"], HOSTILE)
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(table(trace))
    header, *lines = console.export_text().splitlines()
    assert " ".join(header.split()) == "word →f →i →o →|c| →|h| ←f ←i ←o ←|c| ←|h| max % mean % P"
    assert [line.split()[0] for line in lines] == HOSTILE
    assert [line.split()[-1] for line in lines] == [f"{value:.3f}" for value in trace.probability]
    assert "…" not in "".join(lines), "no figure is cut"
