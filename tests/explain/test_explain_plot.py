"""The plot and the table show the values of the trace, whatever the words are."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from rich.console import Console

from sentiment_rnn.explain.plot import MAX_BANDS, WORDS_PER_BAND, plot_trace
from sentiment_rnn.explain.table import build_table
from sentiment_rnn.explain.trace import Trace

CELLS = {
    "lstm": ["forget", "input", "output", "|c|", "|h|"],
    "gru": ["reset", "update", "|h|"],
    "rnn": ["|h|"],
}
HOSTILE = ["[red]", "[/]", "$", "$x_$", "<b>", "&amp;", "\\frac", "%", "_", "映画", "\ufffd"]


def random_trace(measures: list[str], words: list[str], directions: int = 2) -> Trace:
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
def test_each_cell_has_its_rows_with_their_values(cell, directions, tmp_path):
    trace = random_trace(CELLS[cell], HOSTILE, directions)
    figure = plot_trace(trace, "a [title] of $5 or $6", "positive")
    probability, pooling, *cells = figure.axes
    assert len(cells) == directions
    assert [label.get_text() for label in pooling.get_xticklabels()] == HOSTILE
    assert list(probability.lines[1].get_ydata()) == list(trace.probability)
    assert [bar.get_height() for bar in pooling.containers[0]] == pytest.approx(100 * trace.pooling["max"])
    for axis, measures in zip(cells, trace.cells.values(), strict=True):
        values = [text.get_text() for text in axis.texts]
        assert values == [f"{value:.2f}".removeprefix("0") for measure in measures.values() for value in measure]
        assert len(axis.images) == len(measures)
    figure.savefig(tmp_path / "trace.png")
    assert plt.imread(tmp_path / "trace.png")[..., :3].std() > 0.05, "an empty plot has one color"
    plt.close(figure)


@pytest.mark.parametrize("count", [1, WORDS_PER_BAND + 1, WORDS_PER_BAND * MAX_BANDS])
def test_up_to_120_words_are_plotted_in_bands(count):
    figure = plot_trace(random_trace(["|h|"], [f"word{number}" for number in range(count)]), "title", "positive")
    labels = [label.get_text() for axis in figure.axes[1::4] for label in axis.get_xticklabels()]
    assert labels == [f"word{number}" for number in range(count)]
    assert len(figure.axes) == 4 * -(-count // WORDS_PER_BAND)
    plt.close(figure)


def test_a_longer_review_has_the_bands_with_the_largest_shares():
    count = 10 * WORDS_PER_BAND
    trace = random_trace(["|h|"], [f"word{number}" for number in range(count)])
    shares = np.full(count, 0.1 / count)
    shares[[5, 100, 101, 299]] += [0.2, 0.1, 0.4, 0.2]
    figure = plot_trace(Trace(**vars(trace) | {"pooling": {"max": shares}}), "title", "positive")
    labels = [label.get_text() for axis in figure.axes[1::4] for label in axis.get_xticklabels()]
    assert len(labels) == WORDS_PER_BAND * MAX_BANDS
    assert {"word5", "word100", "word101", "word299"} <= set(labels)
    assert labels == sorted(labels, key=lambda word: int(word.removeprefix("word")))
    assert figure.axes[0].get_title(loc="left") == "words 1 to 30 of 300"
    assert "the words shown have 94% of the pooling" in figure.get_supxlabel()
    plt.close(figure)


def test_the_table_has_one_row_per_word():
    trace = random_trace(CELLS["lstm"], HOSTILE)
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(build_table(trace))
    header, *lines = console.export_text().splitlines()
    assert " ".join(header.split()) == "word →f →i →o →|c| →|h| ←f ←i ←o ←|c| ←|h| max % mean % P"
    assert [line.split()[0] for line in lines] == HOSTILE
    assert [line.split()[-1] for line in lines] == [f"{value:.3f}" for value in trace.probability]
    assert "…" not in "".join(lines), "no value is cut"


def test_the_probability_axis_ends_at_0_and_1_and_its_values_are_inside():
    values = [0.0, 0.004, 0.5, 0.996, 1.0]
    trace = random_trace(["|h|"], [f"word{number}" for number in range(len(values))])
    figure = plot_trace(Trace(**vars(trace) | {"probability": np.array(values)}), "title", "positive")
    figure.draw_without_rendering()
    axis = figure.axes[0]
    assert axis.get_ylim() == (0, 1)
    frame = axis.get_window_extent()
    for text in axis.texts:
        assert text.get_text() in {f"{value:.2f}" for value in values}
        assert frame.y0 <= text.get_window_extent().y0 < text.get_window_extent().y1 <= frame.y1
    assert len(axis.texts) == len(values)
    plt.close(figure)
