"""Invalid requests of every kind over eight connections, with valid ones between."""

import gzip
import json
import random
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import psutil
from serving_http import CSV, JSON, Server

CONNECTIONS = 8
MB = 2**20
GZIP = {"Content-Encoding": "gzip"}


class Invalid(NamedTuple):
    """A request, and the status it should get."""

    status: int
    body: bytes
    headers: dict[str, str] = JSON
    method: str = "POST"
    path: str = "/invocations"


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


GOOD = as_json({"inputs": ["good"]})
INVALID = {
    "empty body": Invalid(400, b""),
    "not JSON": Invalid(400, b"good"),
    "truncated JSON": Invalid(400, GOOD[:-1]),
    "not UTF-8": Invalid(400, b'{"inputs": ["\xff\xfe"]}'),
    "UTF-16": Invalid(400, GOOD.decode().encode("utf-16")),
    "lone surrogate": Invalid(400, b'{"inputs": ["good", "\\ud800"]}'),
    "deep": Invalid(400, b'{"inputs": ' + b"[" * 100_000),
    "long number": Invalid(400, b'{"inputs": [' + b"1" * 100_000 + b"]}"),
    "no texts": Invalid(400, as_json({"inputs": []})),
    "no key": Invalid(400, as_json({})),
    "wrong key": Invalid(400, as_json({"texts": ["good"]})),
    "two keys": Invalid(400, as_json({"inputs": ["good"], "instances": ["good"]})),
    "a number": Invalid(400, as_json({"inputs": ["good", 3]})),
    "null": Invalid(400, as_json({"instances": ["good", None]})),
    "a list": Invalid(400, as_json({"inputs": [["good"]]})),
    "a split without its column": Invalid(400, as_json({"dataframe_split": {"columns": ["a"], "data": [["good"]]}})),
    "a record without its key": Invalid(400, as_json({"dataframe_records": [{"review": "good"}]})),
    "too many texts": Invalid(400, as_json({"inputs": ["a"] * 20_000})),
    "CSV without its column": Invalid(400, b"review\ngood\n", CSV),
    "CSV with a ragged row": Invalid(400, b"text\ngood,bad\n", CSV),
    "CSV with an open quote": Invalid(400, b'text\n"good\n', CSV),
    "no Content-Type": Invalid(415, GOOD, {}),
    "text/plain": Invalid(415, GOOD, {"Content-Type": "text/plain"}),
    "Latin-1": Invalid(415, GOOD, {"Content-Type": "application/json; charset=latin-1"}),
    "Brotli": Invalid(415, GOOD, JSON | {"Content-Encoding": "br"}),
    "not gzip": Invalid(400, GOOD, JSON | GZIP),
    "truncated gzip": Invalid(400, gzip.compress(GOOD)[:-4], JSON | GZIP),
    "two gzip streams": Invalid(400, gzip.compress(GOOD) * 2, JSON | GZIP),
    "GET": Invalid(405, b"", method="GET"),
    "DELETE": Invalid(405, b"", method="DELETE"),
    "another path": Invalid(404, GOOD, path="/admin"),
    "two texts to explain": Invalid(400, as_json({"inputs": ["good", "bad"]}), path="/explain"),
    "a long text to explain": Invalid(400, as_json({"inputs": ["good " * 10_000]}), path="/explain"),
    "11 MB": Invalid(413, b'{"inputs": ["' + b"a" * 11 * MB + b'"]}'),
    "10 MB of lists": Invalid(400, b'{"inputs": [' + b"[]," * (3 * MB) + b"[]]}"),
    "10 MB of objects": Invalid(400, b'{"inputs": [' + b"{}," * (3 * MB) + b"{}]}"),
    "10 MB of numbers": Invalid(400, b'{"inputs": [' + b"1," * (5 * MB - 100) + b"1]}"),
    "10 MB of one bad text": Invalid(400, b'{"inputs": ["' + b"a" * (10 * MB - 100) + b'\\ud800"]}'),
    "10 MB of empty lines": Invalid(400, b"text\n" + b"\n" * (10 * MB - 100), CSV),
    "10 MB of noise": Invalid(400, random.Random(0).randbytes(10 * MB), JSON | GZIP),
    "gzip bomb": Invalid(413, gzip.compress(bytes(500 * MB), 1), JSON | GZIP),
    "gzip bomb of lists": Invalid(400, gzip.compress(b'{"inputs": [' + b"[]," * (3 * MB) + b"[]]}"), JSON | GZIP),
}
SLOW = ["10 MB of lists", "10 MB of objects", "10 MB of numbers", "10 MB of empty lines", "gzip bomb of lists"]


def head(length: int) -> bytes:
    return (
        f"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def send(server: Server, *parts: bytes, wait: float = 0, close: Callable[[socket.socket], None] | None = None) -> bytes:
    """What the server responds on a connection of its own; nothing if it closes it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=600) as peer:
        for part in parts:
            peer.sendall(part)
            time.sleep(wait)
        if close:
            close(peer)
        received = b""
        with suppress(ConnectionError):
            while b"predictions" not in received and (chunk := peer.recv(65536)):
                received += chunk
        return received


def half_close(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.shutdown(socket.SHUT_RD)  # nothing is read; closing sends a reset


CHUNKED = (
    b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
BROKEN: dict[str, Callable[[Server], bytes]] = {
    "not HTTP": lambda server: send(server, b"\x16\x03\x01 hello\r\n\r\n"),
    "a negative length": lambda server: send(server, head(-1), GOOD),
    "100 kB of headers": lambda server: send(server, b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n"),
    "a broken chunk": lambda server: send(server, CHUNKED + b"xyz\r\n"),
    "half-closed before the end": lambda server: send(server, head(1000), GOOD, close=half_close),
    "half-closed after the end": lambda server: send(server, head(len(GOOD)), GOOD, close=half_close),
    "reset before the end": lambda server: send(server, head(10 * MB), GOOD * 1000, close=reset),
    "reset after the end": lambda server: send(server, head(len(GOOD)), GOOD, close=reset),
    "byte by byte": lambda server: send(server, head(len(GOOD)), *(bytes([one]) for one in GOOD), wait=0.005),
}


def send_invalid(server: Server, kind: str) -> None:
    if kind in BROKEN:
        received = BROKEN[kind](server)
        assert not received or received.split(b" ", 2)[1] in (b"200", b"400"), f"{kind}: {received[:200]!r}"
        return
    status, body, headers, method, path = INVALID[kind]
    got, content = server.request(method, path, body, headers)
    assert got == status, f"{kind}: {got} {content[:200]}"
    assert json.loads(content)["message"]
    assert len(content) < 500


def send_valid(server: Server, expected: dict[str, float], chosen: random.Random) -> None:
    texts = chosen.sample(list(expected), chosen.choice([1, 1, 1, 3]))
    records = [{"text": text} for text in texts]
    values = {"inputs": texts, "instances": texts, "dataframe_records": records}
    key = chosen.choice(list(values))
    body, headers = as_json({key: values[key]}), JSON
    if chosen.random() < 0.3:
        body, headers = gzip.compress(body), headers | GZIP
    status, content = server.post(body, headers)
    assert status == 200, f"valid: {status} {content[:200]}"
    got = [prediction["probability"] for prediction in json.loads(content)["predictions"]]
    assert np.allclose(got, [expected[text] for text in texts], rtol=0, atol=1e-5), f"{texts}: {got}"


def endure(server: Server, expected: dict[str, float], requests: int) -> float:
    """Send invalid requests, each with a valid one after it; all have to get the right response.

    Args:
        server: gets the requests.
        expected: the probabilities of the texts of the valid requests.
        requests: number of invalid requests.

    Returns:
        The growth of the server's memory in MB after the first half.
    """
    slow = SLOW * (requests // 500)  # each takes as long as a hundred others
    others = [kind for kind in (*INVALID, *BROKEN) if kind not in SLOW]
    kinds = slow + (others * requests)[: requests - len(slow)]
    random.Random(0).shuffle(kinds)
    process, memory = psutil.Process(server.process.pid), []

    def both(number: int) -> None:
        send_invalid(server, kinds[number])
        send_valid(server, expected, random.Random(number))

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for half in range(0, requests // 2), range(requests // 2, requests):
            list(threads.map(both, half))
            memory.append(process.memory_info().rss / MB)
    assert "Traceback" not in server.log.read_text()
    return memory[1] - memory[0]
