"""A real PostgreSQL server in a temporary folder, on a free port of the loopback."""

import contextlib
import getpass
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest


def binary(name: str) -> str | None:
    """A program of PostgreSQL: on the path, or where Debian keeps it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgreSQL:
    """A server that can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        if not (initdb := binary("initdb")):
            pytest.skip("PostgreSQL's initdb is not installed (Debian: apt-get install postgresql)")
        self.folder = folder
        self.port = free_port()
        self.user = getpass.getuser()
        if os.geteuid() == 0:  # it refuses to run as root
            self.user = "postgres"
            pwd.getpwnam(self.user)
            shutil.chown(folder, self.user)
        self._open_the_way()
        self._run(initdb, "-D", str(folder / "data"), "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync")
        self.start()
        for name in ("optuna", "mlflow"):
            createdb = binary("createdb")
            assert createdb
            self._run(createdb, "-h", "127.0.0.1", "-p", str(self.port), "-U", "tester", name)

    def url(self, database: str) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def _open_the_way(self) -> None:
        """Let another user in: pytest, whenever one starts, closes its temporary folders to others."""
        for path in (self.folder, *self.folder.parents):
            if path.stat().st_uid == os.geteuid() == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):
                path.chmod(path.stat().st_mode | 0o011)

    def start(self) -> None:
        self._open_the_way()
        postgres = binary("postgres")
        assert postgres
        self.process = subprocess.Popen(
            [postgres, "-D", "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder), "-F"],
            cwd=self.folder,
            user=self.user if os.geteuid() == 0 else None,
            stdout=(self.folder / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        """Take it away as a power cut would: every process at once."""
        family = [self.process.pid, *(child.pid for child in psutil.Process(self.process.pid).children(recursive=True))]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait()
        (self.folder / "data/postmaster.pid").unlink(missing_ok=True)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            user=self.user if os.geteuid() == 0 else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
