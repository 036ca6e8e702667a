"""Hub, mirror and sample: what is accepted, what is refused and how, and what `auto` takes."""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import datasets
import huggingface_hub.constants
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import shrunk_values, write_params

from pipeline import download
from sentiment_rnn import params
from sentiment_rnn.data import imdb, sources, store
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json

SIZES = {"train": 40, "test": 20, "unsupervised": 30}


def reviews(name: str) -> dict[str, list]:
    texts, labels = generate(SIZES[name], seed=SIZES[name])
    return {"text": texts, "label": [-1] * len(texts) if name == "unsupervised" else labels}


def fingerprint_by_hand(rows: dict[str, list]) -> str:
    each = [hashlib.sha256(f"{label}\0{text}".encode()) for text, label in zip(*rows.values(), strict=True)]
    return hashlib.sha256(b"".join(sorted(digest.digest() for digest in each))).hexdigest()


def write(folder: Path, name: str, rows: dict[str, list]) -> Path:
    path = folder / "plain_text" / f"{name}-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True, parents=True)
    pq.write_table(pa.table(rows), path)
    return path


@pytest.fixture
def small_imdb(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, list]]:
    """A small corpus that stands for IMDB: its splits."""
    splits = {name: reviews(name) for name in SIZES}
    monkeypatch.setattr(imdb, "COUNTS", SIZES)
    monkeypatch.setattr(imdb, "CONTENT_HASHES", {name: fingerprint_by_hand(rows) for name, rows in splits.items()})
    return splits


@pytest.fixture
def mirror(small_imdb, tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    for name, rows in small_imdb.items():
        write(folder, name, rows)
    return folder


@pytest.fixture
def data(chosen: params.Params) -> params.DataParams:
    return chosen.data


def with_source(data: params.DataParams, source: str, mirror: Path | None = None) -> params.DataParams:
    return data.model_copy(update={"source": source, "mirror": str(mirror) if mirror else None})


# the mirror


def test_a_mirror_is_read_in_its_row_order(mirror, small_imdb):
    corpus = sources.from_mirror(mirror)
    assert (corpus.dataset, corpus.source) == ("imdb", "mirror")
    for name, rows in small_imdb.items():
        assert corpus.splits[name]._asdict() == {"texts": rows["text"], "labels": rows["label"]}


def test_a_mirror_in_any_row_order_and_in_several_files_is_accepted(mirror, small_imdb):
    order = np.random.default_rng(0).permutation(40)
    shuffled = {column: [values[row] for row in order] for column, values in small_imdb["train"].items()}
    write(mirror, "train", {column: values[:15] for column, values in shuffled.items()})
    rest = pa.table({column: values[15:] for column, values in shuffled.items()})
    pq.write_table(rest, mirror / "plain_text" / "train-00001-of-00002.parquet")
    assert sources.from_mirror(mirror).splits["train"].texts == shuffled["text"]


def altered(column: str, row: int, value: object):
    def alter(mirror: Path, rows: dict[str, list]) -> None:
        values = [*rows[column]]
        values[row] = value
        write(mirror, "train", rows | {column: values})

    return alter


def truncated(mirror: Path, rows: dict[str, list]) -> None:
    path = write(mirror, "train", rows)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (altered("text", 3, "Not what it was."), "train has IMDB's number of reviews but not its content"),
        (altered("label", 3, 2), "the mirror's train: row 3 has label 2"),  # one of what `checks` refuses
        (lambda m, r: write(m, "train", {k: v[1:] for k, v in r.items()}), "train has 39 reviews, IMDB has 40"),
        (truncated, "train cannot be read .*copy it again"),
        (lambda m, r: write(m, "train", r).write_bytes(b""), "train cannot be read"),
        (lambda m, r: write(m, "train", r).write_text("<html>404</html>"), "train cannot be read"),
        (lambda m, r: write(m, "train", r).unlink(), r"has no plain_text/train-\*\.parquet"),
        (lambda m, r: m.rename(m.with_name("elsewhere")), "is no folder"),
    ],
)
def test_a_damaged_mirror_is_told_in_one_line_and_nothing_is_written(
    damage, message, mirror, small_imdb, project, monkeypatch
):
    values = shrunk_values()
    values["data"]["source"] = "mirror"
    write_params(values, project)
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    before = sorted(path.name for path in project.iterdir() if path != mirror)
    damage(mirror, small_imdb["train"])
    with pytest.raises(UserError, match=message) as caught:
        download.main()
    assert "\n" not in str(caught.value)
    left = {path.name for path in project.iterdir()} - {"mirror", "elsewhere"}
    assert left == {*before} - {"mirror"}


def test_a_file_with_one_wrong_byte_is_refused_unless_it_says_the_same(mirror, small_imdb):
    path = mirror / "plain_text" / "test-00000-of-00001.parquet"
    pq.write_table(pa.table(small_imdb["test"]), path, compression="none", use_dictionary=False)
    good = path.read_bytes()
    whole = sources.from_mirror(mirror)
    told = []
    for place in range(5, len(good), 97):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xA5]) + good[place + 1 :])
        try:
            same = sources.from_mirror(mirror) == whole
        except UserError as error:
            told.append(str(error))
        else:
            assert same, f"byte {place}"
    assert len(told) > 50
    assert "\n" not in "".join(told)


def test_the_download_stage_writes_what_the_mirror_holds(mirror, small_imdb, project, monkeypatch):
    values = shrunk_values()
    values["data"] |= {"source": "auto", "mirror": "/nowhere"}  # the environment goes before it
    write_params(values, project)
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    download.main()
    assert store.load_split("data/raw", "test")._asdict() == {
        "texts": small_imdb["test"]["text"],
        "labels": small_imdb["test"]["label"],
    }
    assert store.load_identity("data/raw") == {
        "dataset": "imdb",
        "content_hashes": imdb.CONTENT_HASHES,
    }
    report = read_json("reports/data.json")
    assert report["dataset"] == "imdb"
    assert report["splits"]["train"]["content_hash"] == imdb.CONTENT_HASHES["train"]


def test_mirror_as_source_needs_one(data):
    with pytest.raises(UserError, match=r"none is named: set IMDB_MIRROR or data\.mirror"):
        sources.load(with_source(data, "mirror"))


# the hub


def hub_gives(monkeypatch: pytest.MonkeyPatch, splits: dict[str, dict[str, list]]) -> list[str]:
    """Let `datasets.load_dataset` give these splits; the names it was asked for."""
    asked = []

    def load_dataset(name: str) -> datasets.DatasetDict:
        asked.append(name)
        return datasets.DatasetDict({split: datasets.Dataset.from_dict(rows) for split, rows in splits.items()})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_the_hubs_copy_is_read_and_named(small_imdb, data, monkeypatch):
    asked = hub_gives(monkeypatch, small_imdb)
    corpus = sources.load(with_source(data, "hub"))
    assert asked == ["stanfordnlp/imdb"]
    assert (corpus.dataset, corpus.source) == ("imdb", "hub: stanfordnlp/imdb")
    for name, rows in small_imdb.items():
        assert corpus.splits[name]._asdict() == {"texts": rows["text"], "labels": rows["label"]}


def test_a_changed_copy_on_the_hub_is_refused(small_imdb, data, monkeypatch):
    small_imdb["test"]["text"][0] += "."
    hub_gives(monkeypatch, small_imdb)
    with pytest.raises(UserError, match="test has IMDB's number of reviews but not its content"):
        sources.load(with_source(data, "hub"))
    del small_imdb["unsupervised"]
    with pytest.raises(UserError, match="has no split unsupervised"):
        sources.load(with_source(data, "hub"))


@pytest.mark.parametrize("error", [ConnectionError("no\nroute"), ValueError("bad\n\narchive"), KeyError("x")])
def test_a_hub_that_cannot_be_read_is_told_in_one_line_with_the_cure(error, data, monkeypatch):
    def load_dataset(name: str) -> datasets.DatasetDict:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(UserError, match=f"cannot be read \\({type(error).__name__}: .*IMDB_MIRROR") as caught:
        sources.load(with_source(data, "hub"))
    assert "\n" not in str(caught.value)


class Hub(HTTPServer):
    """A hub on this machine that answers with `status` after `seconds`; `asked` is what it was asked for."""

    status, seconds = 200, 0.0

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.server.asked.append(self.path)
        time.sleep(self.server.seconds)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(sources, "PROBE_SECONDS", 0.3)


@pytest.fixture
def hub(online: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as server:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.address)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server
        server.shutdown()


def test_a_hub_that_has_the_data_set_answers(hub):
    assert sources.hub_answers()
    assert hub.asked == ["/api/datasets/stanfordnlp/imdb"]


@pytest.mark.parametrize("status", [404, 503])
def test_a_hub_that_refuses_does_not_answer(hub, status):
    hub.status = status
    assert not sources.hub_answers()


def test_a_slow_hub_is_given_up_soon(hub):
    hub.seconds = 0.7
    start = time.monotonic()
    assert not sources.hub_answers()
    assert time.monotonic() - start < 0.6


def test_an_offline_client_asks_nothing(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert not sources.hub_answers()
    assert hub.asked == []


def test_a_refused_connection_is_no_answer(online, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}")
    assert not sources.hub_answers()


def test_something_that_speaks_no_http_is_no_answer(online, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert not sources.hub_answers()


def test_an_endpoint_that_is_no_address_is_no_answer(online, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "hub.example")
    assert not sources.hub_answers()


# auto


def test_auto_takes_a_mirror_before_it_asks_the_hub(mirror, data, hub, monkeypatch, capsys):
    assert sources.load(with_source(data, "auto", mirror)).source == "mirror"
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    assert sources.load(with_source(data, "auto")).source == "mirror"
    assert hub.asked == []
    assert "NOT IMDB" not in capsys.readouterr().err


def test_auto_does_not_fall_back_from_a_mirror_that_was_named(data, hub, tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        sources.load(with_source(data, "auto", tmp_path / "nowhere"))


def test_auto_takes_the_hub_where_it_answers(small_imdb, data, monkeypatch, capsys):
    monkeypatch.setattr(sources, "hub_answers", lambda: True)
    hub_gives(monkeypatch, small_imdb)
    assert sources.load(with_source(data, "auto")).source == "hub: stanfordnlp/imdb"
    assert "NOT IMDB" not in capsys.readouterr().err


def test_auto_ends_with_the_sample_and_says_so_loudly(data, hub, capsys):
    hub.status = 503
    corpus = sources.load(with_source(data, "auto"))
    assert corpus.dataset == "sample"
    assert "NOT IMDB" in capsys.readouterr().err


# the sample


def test_the_sample_is_never_called_imdb(project):
    download.main()
    identity = store.load_identity("data/raw")
    assert identity["dataset"] == "sample"
    for written in (identity, read_json("reports/data.json")):
        assert "imdb" not in str(written).lower()


def test_the_sample_has_the_sizes_asked_for_and_is_the_same_every_time(data, hub, mirror, monkeypatch):
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))  # not read: the sample was asked for
    corpus = sources.load(with_source(data, "sample"))
    assert {name: len(split.texts) for name, split in corpus.splits.items()} == {
        "train": 240, "test": 80, "unsupervised": 20,
    }  # fmt: skip
    assert corpus == sources.load(with_source(data, "sample"))
    assert set(corpus.splits["train"].labels) == set(corpus.splits["test"].labels) == {0, 1}
    assert set(corpus.splits["unsupervised"].labels) == {-1}
    assert not set(corpus.splits["train"].texts) & set(corpus.splits["test"].texts)
    assert hub.asked == []
