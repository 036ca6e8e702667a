"""The champion over HTTP on a real socket: predictions, invalid requests, and that the server survives them."""

import http.client
import json
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from conftest import NAME

from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.serving.sockets import bind_socket

TEXTS = ["a great film", "I hated every minute of it", "word " * 300]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(champion):
    """The process of `sentiment-rnn serve`, and its port."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=champion, stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    assert line.startswith(f"{NAME} version 1 on http://127.0.0.1:"), line
    yield server, int(line.split("127.0.0.1:")[1].split("/")[0])
    assert server.poll() is None, "the server has stopped"
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=20) == 0


def post(served, body, headers=JSON, path="/invocations"):
    connection = http.client.HTTPConnection("127.0.0.1", served[1], timeout=30)
    connection.request("POST", path, body if isinstance(body, bytes | str) else json.dumps(body), headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.fixture(scope="module")
def expected(champion, tokens):
    return Predictor(champion / "model", tokens / "tokenizer.json").predict_probabilities(TEXTS)


def assert_predicts(served, expected):
    status, content = post(served, {"inputs": TEXTS})
    assert status == 200, content
    predictions = json.loads(content)["predictions"]
    assert np.allclose([one["probability"] for one in predictions], expected, rtol=0, atol=1e-6)
    assert [one["label"] for one in predictions] == ["positive" if p >= 0.5 else "negative" for p in expected]


def test_raw_text_gives_label_and_probability(served, expected):
    assert np.ptp(expected) > 0.05, "the probabilities must differ, or the comparison shows nothing"
    assert_predicts(served, expected)


def test_only_this_machine_can_connect(served):
    listening = [one for one in psutil.Process(served[0].pid).net_connections() if one.status == "LISTEN"]
    assert [(one.laddr.ip, one.laddr.port) for one in listening] == [("127.0.0.1", served[1])]


@pytest.mark.parametrize("text", ["word " * 200_000, "w" * 1_000_000, "!" * 1_000_000], ids=["words", "one", "marks"])
def test_a_megabyte_of_text_takes_seconds(served, text):
    begin = time.monotonic()
    status, content = post(served, {"inputs": [text]})
    assert status == 200
    assert 0 <= json.loads(content)["predictions"][0]["probability"] <= 1
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"inputs": []}, 400, "the list of texts is empty: there is nothing to classify"),
        ({"inputs": ["good", ""]}, 400, "text 1 has no words: there is nothing to classify"),
        ({"inputs": ["word " * 200_000, " <br /> "]}, 400, "text 1 has no words: there is nothing to classify"),
        (b'{"inputs": ["\\ud800"]}', 400, "text 0 has a lone surrogate: it is not valid Unicode"),
        ({"inputs": [3]}, 400, "Expected type str, but got int"),
        ({"inputs": ["good", None]}, 400, "Expected type str, but got NoneType"),
        ({"inputs": [["good"]]}, 400, "Expected type str, but got list"),
        ({"inputs": "good"}, 400, "Expected list, but got str"),
        ({"inputs": {"text": "good"}}, 400, "Expected list, but got dict"),
        ({"inputs": None}, 400, "Expected list, but got NoneType"),
        ({"texts": ["good"]}, 400, "must be a dictionary with 'inputs' key"),
        ({}, 400, "must be a dictionary with 'inputs' key"),
        (["good"], 400, "Received a list"),
        (b'{"inputs": ["\xff\xfe"]}', 400, "invalid start byte"),
        (b"good", 400, "valid JSON"),
        (b"", 400, "valid JSON"),
        (b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "maximum recursion depth"),
        (b'{"inputs": [' + b"1" * 5_000 + b"]}", 400, "the request is not valid JSON"),
    ],
    ids=range(18),
)
def test_an_invalid_request_gets_the_reason_and_the_next_one_its_predictions(served, expected, body, status, reason):
    got, content = post(served, body)
    assert got == status
    assert reason in json.loads(content)["message"]
    assert "Traceback" not in content
    assert_predicts(served, expected)


def test_an_error_of_the_model_does_not_return_the_input(served):
    _, content = post(served, {"inputs": ["word " * 200_000, ""]})
    assert json.loads(content)["message"] == "text 1 has no words: there is nothing to classify"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({}, "Content-Type is missing"), ({"Content-Type": "text/plain"}, "only supports the following content types")],
)
def test_a_request_without_json_content_type_is_refused(served, headers, reason):
    status, content = post(served, json.dumps({"inputs": TEXTS}), headers)
    assert status == 415
    assert reason in content


def test_other_addresses_are_not_found(served):
    assert post(served, "x", {}, "/admin")[0] == 404


def test_a_port_in_use_is_an_error(served):
    with pytest.raises(
        UserError, match=rf"^port {served[1]} of 127.0.0.1 is not available \(Address already in use\): choose another"
    ):
        bind_socket(served[1])
