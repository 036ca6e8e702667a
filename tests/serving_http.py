"""`sentiment-rnn serve` in a project, and requests to it."""

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


class Server(NamedTuple):
    """The process and its port; `log` is a file with what it wrote to stderr."""

    process: subprocess.Popen
    port: int
    log: Path

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] = JSON) -> tuple[int, str]:
        """Status and content of the response to one request; a body that is not a string is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, body if isinstance(body, bytes | str | None) else json.dumps(body), headers)
        response = connection.getresponse()
        content = response.status, response.read().decode()
        connection.close()
        return content

    def post(self, body: Any, headers: dict[str, str] = JSON, path: str = "/invocations") -> tuple[int, str]:
        return self.request("POST", path, body, headers)


@contextmanager
def serving(folder: Path, log: Path) -> Iterator[Server]:
    """Serve the champion of a project; the block ends with Ctrl-C."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True)
    line = process.stdout.readline()
    assert " on http://127.0.0.1:" in line, log.read_text()
    yield Server(process, int(line.split("127.0.0.1:")[1].split("/")[0]), log)
    assert process.poll() is None, "the server has stopped"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
