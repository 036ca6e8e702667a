"""Mirror, hub and synthetic corpus: what is accepted, what is refused, and that nothing falls back."""

import hashlib
import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import shrunk_values, write_params
from project import run

from pipeline import download
from sentiment_rnn import params
from sentiment_rnn.data import imdb, sources, store
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json

SIZES = {"train": 40, "test": 20, "unsupervised": 30}


def reviews(name: str) -> dict[str, list]:
    texts, labels = generate(SIZES[name], seed=SIZES[name])
    return {"text": texts, "label": [-1] * len(texts) if name == "unsupervised" else labels}


def hash_by_hand(rows: dict[str, list]) -> str:
    digests = [hashlib.sha256(f"{label}\0{text}".encode()).digest() for text, label in zip(*rows.values(), strict=True)]
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


SPLITS = {name: reviews(name) for name in SIZES}
HASHES = {name: hash_by_hand(rows) for name, rows in SPLITS.items()}


@pytest.fixture
def small_imdb(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, list]]:
    """A small corpus with the counts and hashes that the checks expect of IMDB: its splits."""
    monkeypatch.setattr(imdb, "COUNTS", SIZES)
    monkeypatch.setattr(imdb, "CONTENT_HASHES", HASHES)
    return SPLITS


def write(folder: Path, name: str, rows: dict[str, list]) -> Path:
    path = folder / "plain_text" / f"{name}-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True, parents=True)
    pq.write_table(pa.table(rows), path)
    return path


@pytest.fixture
def mirror(small_imdb, tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    for name, rows in small_imdb.items():
        write(folder, name, rows)
    return folder


@pytest.fixture
def imdb_project(project: Path) -> Path:
    """A project on IMDB whose params name no mirror."""
    values = shrunk_values()
    values["data"]["dataset"] = "imdb"
    write_params(values, project)
    return project


def from_mirror(folder: Path) -> dict[str, Split]:
    entry = params.Params.model_validate(shrunk_values()).datasets["imdb"]
    assert isinstance(entry, params.HubDataset)
    return sources.labeled_splits("imdb", entry.model_copy(update={"mirror": str(folder)}))[0]


# the mirror


def test_a_mirror_is_read_in_its_row_order(mirror, small_imdb):
    for name, split in from_mirror(mirror).items():
        assert split == Split(small_imdb[name]["text"], small_imdb[name]["label"])


def test_a_mirror_in_any_row_order_and_in_several_files_is_accepted(mirror, small_imdb, imdb_project, monkeypatch):
    order = np.random.default_rng(0).permutation(40)
    shuffled = {column: [values[row] for row in order] for column, values in small_imdb["train"].items()}
    write(mirror, "train", {column: values[:15] for column, values in shuffled.items()})
    rest = pa.table({column: values[15:] for column, values in shuffled.items()})
    pq.write_table(rest, mirror / "plain_text" / "train-00001-of-00002.parquet")
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    assert sources.load(params.load()).splits["train"].texts == shuffled["text"]


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
        (altered("text", 3, "Another text."), "train has IMDB's number of reviews but not its content"),
        (altered("label", 3, 2), "train: column label has values that labels does not name: '2'"),
        (lambda m, r: write(m, "train", {k: v[1:] for k, v in r.items()}), "train has 39 reviews, IMDB has 40"),
        (truncated, "train-.* cannot be read as Parquet .*copy the file again"),
        (lambda m, r: write(m, "train", r).write_bytes(b""), "train-.* cannot be read as Parquet"),
        (lambda m, r: write(m, "train", r).write_text("<html>404</html>"), "train-.* cannot be read as Parquet"),
        (lambda m, r: write(m, "train", r).unlink(), r"has no plain_text/train-\*\.parquet"),
        (lambda m, r: m.rename(m.with_name("elsewhere")), "is not a folder"),
    ],
)
def test_a_damaged_mirror_is_refused_in_one_line_and_nothing_is_written(
    damage, message, mirror, small_imdb, imdb_project, monkeypatch
):
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    damage(mirror, small_imdb["train"])
    with pytest.raises(UserError, match=message) as caught:
        download.main()
    assert "\n" not in str(caught.value)
    assert {path.name for path in imdb_project.iterdir()} - {"mirror", "elsewhere"} == {"params.yaml"}


def test_a_file_with_one_wrong_byte_is_refused_unless_its_content_is_the_same(mirror, small_imdb):
    path = mirror / "plain_text" / "test-00000-of-00001.parquet"
    pq.write_table(pa.table(small_imdb["test"]), path, compression="none", use_dictionary=False)
    good = path.read_bytes()
    complete = from_mirror(mirror)
    refused = []
    for position in range(5, len(good), 97):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xA5]) + good[position + 1 :])
        try:
            splits = from_mirror(mirror)
        except UserError as error:
            refused.append(str(error))
        else:
            assert splits == complete, f"byte {position}"
    assert len(refused) > 50
    assert "\n" not in "".join(refused)


def test_the_download_stage_writes_the_content_of_the_mirror(mirror, small_imdb, imdb_project, monkeypatch):
    values = shrunk_values()
    values["data"]["dataset"] = "imdb"
    values["datasets"]["imdb"]["mirror"] = "/nowhere"  # the environment takes precedence
    write_params(values, imdb_project)
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))
    download.main()
    assert store.load_split("data/raw", "test") == Split(small_imdb["test"]["text"], small_imdb["test"]["label"])
    assert store.load_identity("data/raw") == {
        "dataset": "imdb", "content_hashes": HASHES, "class_names": ["negative", "positive"],
    }  # fmt: skip
    report = read_json("reports/data.json")
    assert (report["dataset"], report["source"]) == ("imdb", "mirror")
    assert report["splits"]["train"]["content_hash"] == HASHES["train"]


def test_the_mirror_of_the_params_is_used(mirror, project):
    values = shrunk_values()
    values["data"]["dataset"] = "imdb"
    values["datasets"]["imdb"]["mirror"] = str(mirror)
    write_params(values, project)
    assert sources.load(params.load()).source == "mirror"


# the hub


class FakeHub(ThreadingHTTPServer):
    """A fake of the Hugging Face hub on this machine with one data set: the part of its API that the client uses."""

    def __init__(self, name: str, splits: dict[str, dict[str, list]]) -> None:
        super().__init__(("127.0.0.1", 0), FakeHubHandler)
        configs = "\n".join(f"  - split: {split}\n    path: plain_text/{split}-*" for split in splits)
        self.name = name
        self.files = {
            "README.md": f"---\nconfigs:\n- config_name: plain_text\n  data_files:\n{configs}\n---\n".encode()
        }
        for split, rows in splits.items():
            buffer = io.BytesIO()
            pq.write_table(pa.table(rows), buffer)
            self.files[f"plain_text/{split}-00000-of-00001.parquet"] = buffer.getvalue()


class FakeHubHandler(BaseHTTPRequestHandler):
    server: FakeHub
    commit = "0" * 40

    def respond(self) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        api, files = f"/api/datasets/{hub.name}", f"/datasets/{hub.name}/resolve/"
        if path.startswith(f"{api}/tree/{self.commit}"):
            folder = path.removeprefix(f"{api}/tree/{self.commit}").strip("/")
            listed = [
                {"type": "file", "path": name, "oid": hashlib.sha1(content).hexdigest(), "size": len(content)}
                for name, content in hub.files.items()
                if name.rpartition("/")[0] == folder
            ]
            if not folder:
                listed.append({"type": "directory", "path": "plain_text", "oid": self.commit, "size": 0})
            self.send(200, json.dumps(listed).encode())
        elif path in (api, f"{api}/revision/main", f"{api}/revision/{self.commit}"):
            siblings = [{"rfilename": name} for name in hub.files]
            self.send(200, json.dumps({"id": hub.name, "sha": self.commit, "siblings": siblings}).encode())
        elif path.startswith(files) and (content := hub.files.get(path.removeprefix(files).partition("/")[2])):
            etag = f'"{hashlib.sha1(content).hexdigest()}"'
            self.send(200, content, {"ETag": etag, "X-Repo-Commit": self.commit})
        else:
            self.send(404, b"", {"X-Error-Code": "EntryNotFound"})

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = respond  # noqa: N815 (the base class calls these)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def fake_hub() -> Iterator[FakeHub]:
    with FakeHub("stanfordnlp/imdb", SPLITS) as server:
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield server
        server.shutdown()


SMALL_IMDB_DOWNLOAD = f"""
from sentiment_rnn.data import imdb
imdb.COUNTS, imdb.CONTENT_HASHES = {SIZES!r}, {HASHES!r}
from pipeline import download
download.main()
"""


def run_download(folder: Path, **environment: str) -> CompletedProcess[str]:
    """The download stage in a process of its own, as the client reads its environment when it is imported."""
    variables = {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "0", "no_proxy": "127.0.0.1"} | environment
    return run(folder, sys.executable, "-c", SMALL_IMDB_DOWNLOAD, **variables)


def test_the_copy_of_a_hub_is_downloaded(fake_hub, imdb_project):
    """The real client on a fake hub: this machine need not reach the real one."""
    done = run_download(imdb_project, HF_ENDPOINT=f"http://127.0.0.1:{fake_hub.server_port}")
    assert done.returncode == 0, done.stderr
    for name, rows in SPLITS.items():
        assert store.load_split("data/raw", name) == Split(rows["text"], rows["label"])
    report = read_json("reports/data.json")
    assert (report["dataset"], report["source"]) == ("imdb", "hub: stanfordnlp/imdb")


def test_a_copy_without_a_split_is_refused(imdb_project):
    """The real client on a fake hub whose data set has no unsupervised split."""
    with FakeHub("stanfordnlp/imdb", {name: SPLITS[name] for name in ("train", "test")}) as hub:
        threading.Thread(target=hub.serve_forever, args=[0.02], daemon=True).start()
        done = run_download(imdb_project, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}")
        hub.shutdown()
    assert done.returncode == 1
    assert (
        done.stderr.splitlines()[-1]
        == "error: the hub's stanfordnlp/imdb has no split unsupervised; it has train, test"
    )
    assert not (imdb_project / "data").exists()


def test_a_hub_that_cannot_be_reached_is_an_error_with_two_cures_and_nothing_falls_back(imdb_project):
    done = run_download(imdb_project, HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: the hub's stanfordnlp/imdb cannot be read (")
    assert error.endswith(
        "set IMDB_MIRROR to a folder in the hub's layout, or run `make demo`, which needs no download"
    )
    assert not (imdb_project / "data").exists()
    assert not (imdb_project / "reports").exists()


# the synthetic corpus


def test_the_synthetic_corpus_is_never_called_imdb(project):
    download.main()
    identity = store.load_identity("data/raw")
    assert identity["dataset"] == "synthetic"
    for written in (identity, read_json("reports/data.json")):
        assert "imdb" not in str(written).lower()


def test_the_synthetic_corpus_has_the_given_sizes_and_is_reproducible(project, mirror, monkeypatch):
    monkeypatch.setenv("IMDB_MIRROR", str(mirror))  # not used
    corpus = sources.load(params.load())
    assert {name: len(split.texts) for name, split in corpus.splits.items()} == {
        "train": 240, "test": 80, "unsupervised": 20,
    }  # fmt: skip
    assert corpus == sources.load(params.load())
    assert set(corpus.splits["train"].labels) == set(corpus.splits["test"].labels) == {0, 1}
    assert set(corpus.splits["unsupervised"].labels) == {-1}
    assert not set(corpus.splits["train"].texts) & set(corpus.splits["test"].texts)
