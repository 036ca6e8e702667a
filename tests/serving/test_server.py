"""The champion over HTTP, on a real socket: what is answered, what is refused, and that the next one is answered."""

import http.client
import json
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.serving.server import listen

TEXTS = ["a great film", "I hated every minute of it", "word " * 300]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(champion):
    """The server's process, as `make serve` starts it, and its port."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=champion, stdout=subprocess.PIPE, text=True)
    said = server.stdout.readline()
    assert said.startswith("imdb-bilstm version 1 on http://127.0.0.1:"), said
    yield server, int(said.split("127.0.0.1:")[1].split("/")[0])
    assert server.poll() is None, "it should have survived all of that"
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=20) == 0


def ask(served, body, headers=JSON, path="/invocations"):
    connection = http.client.HTTPConnection("127.0.0.1", served[1], timeout=30)
    connection.request("POST", path, body if isinstance(body, bytes | str) else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def expected(champion, tokens):
    return Predictor(champion / "model", tokens / "tokenizer.json").positive(TEXTS)


def is_answered(served, expected):
    status, said = ask(served, {"inputs": TEXTS})
    assert status == 200, said
    predictions = json.loads(said)["predictions"]
    assert np.allclose([one["probability"] for one in predictions], expected, rtol=0, atol=1e-6)
    assert [one["label"] for one in predictions] == ["positive" if p >= 0.5 else "negative" for p in expected]


def test_raw_text_gives_label_and_probability(served, expected):
    assert np.ptp(expected) > 0.05, "the texts must differ for the comparison to mean something"
    is_answered(served, expected)


def test_only_this_machine_can_connect(served):
    listening = [one for one in psutil.Process(served[0].pid).net_connections() if one.status == "LISTEN"]
    assert [(one.laddr.ip, one.laddr.port) for one in listening] == [("127.0.0.1", served[1])]


@pytest.mark.parametrize("text", ["word " * 200_000, "w" * 1_000_000, "!" * 1_000_000], ids=["words", "one", "marks"])
def test_a_megabyte_of_text_is_answered_within_seconds(served, text):
    begin = time.monotonic()
    status, said = ask(served, {"inputs": [text]})
    assert status == 200
    assert 0 <= json.loads(said)["predictions"][0]["probability"] <= 1
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"inputs": []}, 400, "the list of texts is empty: there is nothing to judge"),
        ({"inputs": ["good", ""]}, 400, "text 1 has no words: there is nothing to judge"),
        ({"inputs": ["word " * 200_000, " <br /> "]}, 400, "text 1 has no words: there is nothing to judge"),
        (b'{"inputs": ["\\ud800"]}', 400, "text 0 has half a character (a lone surrogate): it is no Unicode text"),
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
        (b'{"inputs": [' + b"1" * 5_000 + b"]}", 400, "the request cannot be read"),
    ],
    ids=range(18),
)
def test_what_cannot_be_judged_is_refused_with_the_reason_and_the_next_is_answered(
    served, expected, body, status, reason
):
    got, said = ask(served, body)
    assert got == status
    assert reason in json.loads(said)["message"]
    assert "Traceback" not in said
    is_answered(served, expected)


def test_a_refusal_by_the_model_does_not_send_the_input_back(served):
    _, said = ask(served, {"inputs": ["word " * 200_000, ""]})
    assert json.loads(said)["message"] == "text 1 has no words: there is nothing to judge"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({}, "Content-Type is missing"), ({"Content-Type": "text/plain"}, "only supports the following content types")],
)
def test_a_request_says_what_it_sends(served, headers, reason):
    status, said = ask(served, json.dumps({"inputs": TEXTS}), headers)
    assert status == 415
    assert reason in said


def test_other_addresses_are_not_found(served):
    assert ask(served, "x", {}, "/admin")[0] == 404


def test_a_port_that_is_taken_is_told_in_one_line(served):
    with pytest.raises(UserError, match=rf"^port {served[1]} of 127.0.0.1 cannot be had \(Address already in use\)"):
        listen(served[1])
