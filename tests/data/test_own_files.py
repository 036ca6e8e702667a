"""The user's own files, of each kind, whole and broken: read alike, or refused in one line each with a cure."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from conftest import shrunk_values, write_params
from cures import run_cure
from project import run

from pipeline import download, tokenize
from sentiment_rnn import params
from sentiment_rnn.data import init as data_init
from sentiment_rnn.data import sources, store, texts
from sentiment_rnn.data.reading import read_file
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json

TEXTS, LABELS = generate(120, seed=5)
TEXTS = ['say "no"; never,\nagain', "café | NA", "null", *TEXTS[3:]]
NAMES = [("neg", "pos")[label] for label in LABELS]
ROWS = pa.table({"id": range(120), "review": TEXTS, "sentiment": NAMES, "film": list("abcd") * 30})
NONE = "no column review and no column sentiment; its columns: "
ENTRY = {"text": "review", "label": "sentiment", "labels": {"sad": ["neg"], "glad": ["pos"]}}


def csv_bytes(table: pa.Table = ROWS, delimiter: str = ",") -> bytes:
    out = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, out, pyarrow.csv.WriteOptions(delimiter=delimiter))
    return out.getvalue().to_pybytes()


def jsonl_bytes(table: pa.Table = ROWS) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist()).encode()


def parquet_bytes(table: pa.Table = ROWS) -> bytes:
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    return out.getvalue().to_pybytes()


@pytest.fixture
def own(project: Path):
    """A function that writes params.yaml with the data set `mine`, and its files below sources/mine/."""

    def make(contents: dict[str, bytes], **entry: object) -> params.Params:
        (project / "sources/mine").mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (project / "sources/mine" / name).write_bytes(content)
        values = shrunk_values()
        values["data"]["dataset"] = "mine"
        values["datasets"]["mine"] = ENTRY | {"files": f"sources/mine/{next(iter(contents))}"} | entry
        write_params(values, project)
        return params.load()

    return make


def everything(corpus) -> list[tuple[str, int]]:
    return sorted((t, n) for split in corpus.splits.values() for t, n in zip(split.texts, split.labels, strict=True))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", csv_bytes()),
        ("a.CSV", b"\xef\xbb\xbf" + csv_bytes()),
        ("a.csv", csv_bytes(delimiter=";")),
        ("a.tsv", csv_bytes(delimiter="\t")),
        ("a.csv.gz", gzip.compress(csv_bytes())),
        ("a.jsonl", jsonl_bytes()),
        ("a.ndjson.gz", gzip.compress(jsonl_bytes())),
        ("a.parquet", parquet_bytes()),
        ("a.parquet.gz", gzip.compress(parquet_bytes())),
    ],
)
def test_every_kind_of_file_gives_the_same_rows_and_splits(own, name, content):
    corpus = sources.load(own({name: content}))
    assert everything(corpus) == sorted(zip(TEXTS, LABELS, strict=True))
    assert corpus.class_names == ("sad", "glad")
    assert {split: len(rows.texts) for split, rows in corpus.splits.items()} == {
        "train": 96, "test": 24, "unsupervised": 0,
    }  # fmt: skip


def test_another_encoding_is_read_if_it_is_named(own):
    content = csv_bytes().decode().encode("windows-1252")
    with pytest.raises(UserError, match=r"^sources/mine/a.csv: not in UTF-8: .*`encoding: windows-1252`$"):
        sources.load(own({"a.csv": content}))
    assert everything(sources.load(own({"a.csv": content}, encoding="windows-1252")))[0] == min(
        zip(TEXTS, LABELS, strict=True)
    )
    with pytest.raises(UserError, match="an encoding that Python knows"):
        sources.load(own({"a.csv": content}, encoding="windoze"))


def test_several_files_match_a_pattern(own):
    parts = {"b1.csv": csv_bytes(ROWS[:50]), "b2.csv": csv_bytes(ROWS[50:])}
    assert len(everything(sources.load(own(parts, files="sources/mine/b*.csv")))) == 120


def test_each_split_has_its_file_and_the_given_splits_stay_as_they_are(own):
    chosen = own(
        {
            "a.jsonl": jsonl_bytes(ROWS[:70]), "v.csv": csv_bytes(ROWS[60:90]), "t.parquet": parquet_bytes(ROWS[90:]),
            "u.csv": csv_bytes(ROWS.select(["review"])),
        },
        files={
            "train": "sources/mine/a.jsonl", "validation": "sources/mine/v.csv", "test": "sources/mine/t.parquet",
            "unlabeled": "sources/mine/u.csv",
        },
    )  # fmt: skip
    download.main()
    tokenize.main()
    corpus = sources.load(chosen)
    assert (corpus.splits["validation"].texts, corpus.splits["test"].texts) == (TEXTS[60:90], TEXTS[90:])
    report = read_json("reports/tokens.json")
    assert report["validation_split"] == "given"
    loaded = {name: texts.load(Path("data/raw"), Path("data/tokens"), name) for name in ("train", "validation")}
    assert loaded["validation"].texts == TEXTS[60:90]
    assert loaded["train"].texts == [text for text in TEXTS[:70] if text not in set(TEXTS[60:])]
    assert len(texts.load(Path("data/raw"), Path("data/tokens"), "unsupervised").texts) == 120


def test_groups_stay_together_and_slices_are_kept(own):
    chosen = own({"a.csv": csv_bytes()}, group="film", slices=["id"])
    splits = sources.load(chosen).splits
    assert set(splits["train"].columns["film"]).isdisjoint(splits["test"].columns["film"])
    assert len(splits["test"].columns["id"]) == len(splits["test"].texts)
    download.main()
    tokenize.main()
    raw = store.load_split("data/raw", "train")
    film = dict(zip(raw.texts, raw.columns["film"], strict=True))
    sides = [
        {film[text] for text in texts.load(Path("data/raw"), Path("data/tokens"), name).texts}
        for name in ("train", "validation")
    ]
    assert sides[0].isdisjoint(sides[1])


def test_the_card_has_the_class_names_and_the_warnings_and_no_report_has_a_text(own):
    own({"a.csv": csv_bytes(pa.concat_tables([ROWS, ROWS[:1]]))})
    download.main()
    card = Path("data/card.md").read_text()
    assert "| split | texts | sad | glad |" in card
    assert "rows: its accuracy has a wide interval" in card
    report = Path("reports/data.json").read_text()
    assert not any(text in report for text in TEXTS[3:])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            csv_bytes(ROWS.select(["id", "film"])),
            f"{NONE}id, film",
        ),
        (
            "a.jsonl",
            jsonl_bytes(ROWS.select(["id", "film"])),
            f"{NONE}id",
        ),
        ("a.parquet", parquet_bytes(ROWS.select(["id"])), f"{NONE}id"),
        ("a.csv", b"", "empty: it should have at least one row"),
        ("a.csv", b"review,review,sentiment\na,b,neg\n", "two columns have the name review: rename one"),
        ("a.jsonl", b"", "empty: it should have at least one row"),
        ("a.csv", b"review,sentiment\n", "no rows"),
        (
            "a.csv",
            csv_bytes() + b"one field\n",
            "CSV parse error: Row #122: Expected 4 columns, got 1: one field",
        ),
        ("a.jsonl", jsonl_bytes() + b'{"review": \n', "cannot be read as JSON lines (JSON parse error"),
        ("a.json", b'[{"review": "a", "sentiment": "pos"}]', "a JSON array: write one object per line"),
        ("a.jsonl", jsonl_bytes() + b'{"review": 5, "sentiment": "pos"}\n', "changed from string to number"),
        ("a.jsonl", jsonl_bytes().decode().encode("latin-1"), "not in UTF-8"),
        ("a.csv", csv_bytes().decode().encode("utf-16"), "in the entry, `encoding: utf-16`"),
        ("a.parquet", parquet_bytes()[:-200], "cannot be read as Parquet"),
        ("a.parquet", b"<html>404</html>", "cannot be read as Parquet"),
        ("a.csv.gz", gzip.compress(csv_bytes())[:-200], "cannot be read as CSV"),
        ("a.jsonl.gz", gzip.compress(jsonl_bytes())[:-200], "cannot be read as JSON lines"),
        ("a.xlsx", b"PK", "save a spreadsheet as CSV"),
    ],
)
def test_a_broken_file_is_refused_in_one_line_and_nothing_is_written(own, name, content, message):
    own({name: content})
    with pytest.raises(UserError) as caught:
        download.main()
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"sources/mine/{name}: ")
    assert message in line
    assert not Path("data").exists()


def test_all_files_are_checked_before_the_first_error_is_shown(own):
    own(
        {"a.csv": csv_bytes(ROWS.select(["id"])), "t.jsonl": jsonl_bytes() + b'{"review": "", "sentiment": "meh"}\n'},
        files={"train": "sources/mine/a.csv", "validation": "sources/mine/none*.csv", "test": "sources/mine/t.jsonl"},
    )
    with pytest.raises(UserError) as caught:
        download.main()
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "sources/mine/a.csv", "sources/mine/none*.csv", "sources/mine/t.jsonl", "sources/mine/t.jsonl",
    ]  # fmt: skip


def test_a_file_that_dvc_does_not_follow_is_refused_with_a_cure_that_works(own, project):
    (project / "mine.csv").write_bytes(csv_bytes())
    own({"a.csv": csv_bytes()}, files="mine.csv")
    with pytest.raises(UserError) as caught:
        download.main()
    run_cure(str(caught.value), "sentiment-rnn init {} --name {}", project)
    download.main()
    assert store.load_identity("data/raw")["class_names"] == ["negative", "positive"]


@pytest.mark.parametrize(
    ("name", "content"), [("a film.csv", gzip.compress(csv_bytes())), ("a film.jsonl.gz", jsonl_bytes())]
)
def test_a_file_whose_name_does_not_say_whether_it_is_gzip_is_read_after_the_cure(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_file(tmp_path / name, None)
    run_cure(str(caught.value), "mv {} {}", tmp_path)
    (renamed,) = tmp_path.iterdir()
    assert read_file(renamed, ["review"]).num_rows == len(TEXTS)


def test_init_refuses_a_file_without_a_row_of_names(tmp_path):
    rows = "".join(f'"a text, number {row}",{row + 10},{row % 2}\n' for row in range(4))
    (tmp_path / "a.csv").write_text(rows)
    with pytest.raises(UserError, match=r"column 0 has the value 0, too: insert a row such as text,column_2,label$"):
        data_init.look(tmp_path / "a.csv", None, None)
    (tmp_path / "a.csv").write_text(f"text,column_2,label\n{rows}")
    assert data_init.look(tmp_path / "a.csv", None, None) == ("text", "label", {"0": 2, "1": 2})


@pytest.mark.parametrize(("low", "high"), [("FALSE", "TRUE"), ("False", "True"), ("0.0", "1.0")])
def test_init_names_no_class_after_a_truth_value_or_a_number(tmp_path, low, high):
    rows = "".join(f"a text of some length {row},{high if row % 2 else low}\n" for row in range(4))
    (tmp_path / "a.csv").write_bytes(f"text,label\n{rows}".encode("utf-16"))
    guess = data_init.look(tmp_path / "a.csv", None, None, "utf-16")
    assert list(data_init.classes(guess, [], [], None)) == ["negative", "positive"]
    if low == "0.0":
        assert set(guess.values) == {"0", "1"}


# init


def test_init_guesses_columns_and_classes_and_asks_where_it_cannot(project):
    (project / "stars.csv").write_bytes(
        csv_bytes(pa.table({"body": TEXTS, "stars": [1 + row % 5 for row in range(120)], "n": range(120)}))
    )
    done = run(project, "sentiment-rnn", "init", "stars.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: column stars has 5 values: 1 (24), ")
    before = (project / "params.yaml").read_text()
    done = run(
        project, "sentiment-rnn", "init", "stars.csv", "--name", "mine",
        *("--negative", "1", "--negative", "2", "--positive", "4", "--positive", "5"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    entry = params.load().dataset
    assert isinstance(entry, params.FilesDataset)
    assert (entry.text, entry.label, entry.labels, entry.ignore) == (
        ["body"], "stars", {"negative": ["1", "2"], "positive": ["4", "5"]}, ["3"],
    )  # fmt: skip
    after = (project / "params.yaml").read_text()
    assert set(before.splitlines()) - set(after.splitlines()) == {"  dataset: synthetic"}
    download.main()
    assert sum(len(split.texts) for split in sources.load(params.load()).splits.values()) == 96


def test_init_takes_an_encoding_and_no_folder(project):
    rows = "".join(f"ein Film, der mir gefällt {row}\t{row % 2}\n" for row in range(120))
    (project / "alt.tsv").write_bytes(f"text\tlabel\n{rows}".encode("latin-1"))
    done = run(project, "sentiment-rnn", "init", "alt.tsv", "--name", "alt", "--encoding", "latin-1")
    assert done.returncode == 0, done.stderr
    assert params.load().dataset.encoding == "latin-1"
    download.main()
    assert all("gefällt" in text for text in store.load_split("data/raw", "train").texts)
    done = run(project, "sentiment-rnn", "init", "sources", "--name", "folder")
    assert done.returncode == 1
    assert done.stderr.startswith("error: sources")
    assert done.stderr.count("\n") == 1
