"""The champion over HTTP on a real socket: predictions, word importance, invalid requests, MLflow's own programs."""

import gzip
import json
import socket
import time
from threading import Thread

import numpy as np
import pandas as pd
import psutil
import pytest
import uvicorn
from conftest import NAME
from invalid_requests import BROKEN, CONNECTIONS, INVALID, SLOW, endure, head
from mlflow.pyfunc import scoring_server
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from serving_http import CSV, JSON, Server, serving

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.predict import predict_texts
from sentiment_rnn.serving.server import BODY_TIMEOUT, explain
from sentiment_rnn.serving.sockets import bind_socket
from sentiment_rnn.tracking import registry

TEXTS = ["a great film", "I hated every minute of it", "NA", "null", "nan", "zyzzyva", "", "word " * 300]
BROTLI, LATIN = JSON | {"Content-Encoding": "br"}, {"Content-Type": "text/csv; charset=latin-1"}
FRAME = pd.DataFrame({"text": TEXTS})
FORMATS = {
    "inputs": {"inputs": TEXTS},
    "instances": {"instances": TEXTS},
    "dataframe_split": {"dataframe_split": FRAME.to_dict(orient="split")},
    "dataframe_records": {"dataframe_records": FRAME.to_dict(orient="records")},
}


@pytest.fixture(scope="module")
def server(champion, tmp_path_factory):
    with serving(champion, tmp_path_factory.mktemp("log") / "stderr") as server:
        yield server


@pytest.fixture(scope="module")
def model(in_champion):
    return registry.load(NAME, "1")


@pytest.fixture(scope="module")
def expected(model) -> list[dict]:
    """The prediction of each text alone, in this process."""
    predictions = [predict_texts(model, [text])[0] for text in TEXTS]
    assert np.ptp([one["probability"] for one in predictions]) > 0.05, (
        "they must differ, or the comparison shows nothing"
    )
    assert [one["known_words"] for one in predictions[-3:-1]] == [0, 0]
    return predictions


def assert_same(predictions: list[dict], expected: list[dict]) -> None:
    for one, other in zip(predictions, expected, strict=True):
        assert one == {**other, "probability": pytest.approx(other["probability"], abs=1e-5)}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("body", FORMATS.values(), ids=FORMATS)
def test_raw_texts_give_labels_and_probabilities(server, expected, body, packed):
    content = json.dumps(body).encode()
    headers = JSON | {"Content-Encoding": "gzip"} if packed else JSON
    status, content = server.post(gzip.compress(content) if packed else content, headers)
    assert status == 200, content
    assert_same(json.loads(content)["predictions"], expected)


def test_csv_has_no_missing_values(server, expected):
    status, content = server.post(FRAME.to_csv(), CSV | {"Content-Type": "text/csv; charset=UTF-8"})
    assert status == 200, content
    assert_same(json.loads(content)["predictions"], expected)


def test_mlflows_client_gets_the_predictions(server, expected):
    client = ScoringServerClient("127.0.0.1", server.port)
    client.ping()
    assert client.get_version()
    assert_same(client.invoke(FRAME).get_predictions().to_dict(orient="records"), expected)


@pytest.mark.parametrize(("path", "content"), [("/ping", "\n"), ("/health", "\n"), ("/version", "3.17.2")])
def test_health_and_version_are_mlflows(server, path, content):
    assert server.request("GET", path) == (200, content)


def test_only_this_machine_can_connect(server):
    listening = [one for one in psutil.Process(server.process.pid).net_connections() if one.status == "LISTEN"]
    assert [(one.laddr.ip, one.laddr.port) for one in listening] == [("127.0.0.1", server.port)]


def test_the_server_runs_without_torch(server):
    libraries = {one.path for one in psutil.Process(server.process.pid).memory_maps()}
    assert any("onnxruntime" in path for path in libraries)
    assert not [path for path in libraries if "torch" in path]


@pytest.mark.parametrize("text", ["word " * 200_000, "w" * 1_000_000, "!" * 1_000_000], ids=["words", "one", "marks"])
def test_a_megabyte_of_text_takes_seconds(server, text):
    begin = time.monotonic()
    status, content = server.post({"inputs": [text]})
    assert status == 200
    assert 0 <= json.loads(content)["predictions"][0]["probability"] <= 1
    assert time.monotonic() - begin < 20


def test_words_are_explained_by_leaving_them_out(server, model):
    text = "A great, GREAT film -- but I hated<br />the end."
    status, content = server.post({"inputs": [text]}, path="/explain")
    assert status == 200, content
    explained = json.loads(content)
    assert_same(
        [{key: explained[key] for key in ("label", "probability", "known_words")}], predict_texts(model, [text])
    )
    assert " ".join(one["word"] for one in explained["words"]) == "A great, GREAT film -- but I hated the end."
    importance = {one["word"]: one["importance"] for one in explained["words"]}
    assert importance["great,"] == importance["GREAT"] != 0
    assert importance["--"] == 0
    whole, without = (
        one["probability"] for one in predict_texts(model, [text, "A  ,   film -- but I hated<br />the end."])
    )
    sign = 1 if whole >= 0.5 else -1
    difference = np.log(whole / (1 - whole)) - np.log(without / (1 - without))
    assert importance["great,"] == pytest.approx(sign * difference, abs=1e-3)


@pytest.mark.parametrize("text", ["", " ", "zyzzyva"])
def test_a_text_without_words_is_explained_as_such(model, text):
    explained = explain(model, [text])
    assert explained["known_words"] == 0
    assert [one["word"] for one in explained["words"]] == text.split()
    assert {one["importance"] for one in explained["words"]} <= {0}


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["good", "bad"], "words are explained of one text at a time, the body has 2"),
        (
            ["good " * 401],
            "words are explained up to 400 words and 20,000 characters: the text has 401 words and 2,005",
        ),
        (["w" * 20_001], "words are explained up to 400 words and 20,000 characters: the text has 1 words and 20,001"),
    ],
    ids=range(3),
)
def test_what_is_explained_is_limited(server, texts, reason):
    status, content = server.post({"inputs": texts}, path="/explain")
    assert status == 400
    assert json.loads(content)["message"].startswith(reason)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "reason"),
    [
        (b"good", JSON, 400, "BAD_REQUEST", "the body is not JSON"),
        ({"inputs": ["good", None]}, JSON, 400, "BAD_REQUEST", "inputs[1] is null, not a text"),
        ({"inputs": []}, JSON, 400, "INVALID_PARAMETER_VALUE", "there is no text: nothing to classify"),
        (b'{"inputs": ["good", "\\ud800"]}', JSON, 400, "INVALID_PARAMETER_VALUE", "text 1 has a lone surrogate"),
        (b"good", JSON | {"Content-Encoding": "gzip"}, 400, "BAD_REQUEST", "the body is not gzip"),
        (b"text\ngood", {}, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type should be application/json or text/csv"),
        (b"text\ngood", LATIN, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type should be application/json or text/csv"),
        (b"good", BROTLI, 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding should be gzip, or none; it is br"),
        (b" " * (10 * 2**20 + 1), JSON, 413, "REQUEST_ENTITY_TOO_LARGE", "the body is larger than 10,485,760 bytes"),
    ],
    ids=range(9),
)  # fmt: skip
def test_an_invalid_request_gets_the_reason_and_the_next_one_its_predictions(
    server, expected, body, headers, status, code, reason
):
    got, content = server.post(body, headers)
    assert got == status
    assert json.loads(content)["error_code"] == code
    assert json.loads(content)["message"].startswith(reason)
    assert_same(json.loads(server.post({"inputs": TEXTS})[1])["predictions"], expected)


def test_other_addresses_and_methods_are_refused(server):
    assert server.post("x", {}, "/admin")[0] == 404
    assert server.request("GET", "/invocations")[0] == 405


def test_a_port_in_use_is_an_error(server):
    with pytest.raises(
        UserError,
        match=rf"^port {server.port} of 127.0.0.1 is not available \(Address already in use\): choose another",
    ):
        bind_socket(server.port)


def test_mlflows_own_server_gives_the_same_predictions(model, expected, tmp_path):
    """`mlflow models serve` runs this application."""
    with bind_socket(0) as listening:
        server = uvicorn.Server(uvicorn.Config(scoring_server.init(model), log_level="warning"))
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            for body in FORMATS.values():
                status, content = Server(None, listening.getsockname()[1], tmp_path).post(body)
                assert status == 200, content
                assert_same(json.loads(content)["predictions"], expected)
        finally:
            server.should_exit = True
            thread.join()


def probabilities(expected: list[dict]) -> dict[str, float]:
    return {text: one["probability"] for text, one in zip(TEXTS, expected, strict=True)}


def test_invalid_requests_do_not_disturb_the_valid_ones_between(server, expected):
    endure(server, probabilities(expected), 2 * len({*INVALID, *BROKEN} - {*SLOW}))


@pytest.mark.soak
def test_ten_thousand_invalid_requests_leave_memory_as_it_was(server, expected):
    stalled = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CONNECTIONS)]
    for peer in stalled:
        peer.sendall(head(1000) + b"{")
    begin = time.monotonic()
    growth = endure(server, probabilities(expected), 10_000)
    print(f"{time.monotonic() - begin:.0f} s, memory {growth:+.1f} MB")
    assert growth < 32
    assert time.monotonic() - begin > BODY_TIMEOUT
    for peer in stalled:
        assert b" 408 " in peer.recv(65536)
        peer.close()
