"""One line for each kind of fault of MLflow's store: the cause, and the cure."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from shlex import quote

import mlflow

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking.uri import VARIABLE, database, redact, tracking_uri

MIGRATIONS = Path(mlflow.__file__).parent / "store/db_migrations/versions"


def explain(error: BaseException) -> UserError | None:
    """The error in one line; None if it is of no known kind.

    Args:
        error: raised by MLflow or a library that it uses.
    """
    chain = list(_causes(error))
    if found := next((each for each in chain if isinstance(each, UserError)), None):
        return found
    text = "\n".join(f"{type(each).__name__}: {each}" for each in chain)
    for pattern, cure in KINDS:
        if match := re.search(pattern, text):
            uri, cause = tracking_uri(), re.split(r"\n|\. ", str(chain[-1]))[0][:200]
            advice = cure if isinstance(cure, str) else cure(uri, match)
            return UserError(f"MLflow's store {redact(f'{uri}: {cause}')}: {advice}")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _another_schema(uri: str, match: re.Match[str]) -> str:
    if not any(MIGRATIONS.glob(f"{match[1]}_*.py")):
        return f"written by a newer MLflow than {mlflow.__version__}: install it, or name another store in {VARIABLE}"
    return f"make a backup of the database, then `mlflow db upgrade {quote(uri)}`"


def _corrupt(uri: str, match: re.Match[str]) -> str:
    file = database(uri)
    if file is None:
        return "restore a backup"
    unused = next(path for n in count(1) if not (path := file.with_name(f"broken-{n}")).exists())
    name, aside = quote(str(file)), quote(str(unused))
    return (
        "restore a backup, or start a new store, in which the trained model is registered again: "
        f"`mkdir {aside} && mv {name}* {aside} && sentiment-rnn run evaluate`"
    )


def _inaccessible(uri: str, match: re.Match[str]) -> str:
    file = database(uri) or Path()
    if file.is_dir():
        return f"{file} is a folder: name a file in it"
    folder = next(each for each in file.absolute().parents if each.exists())
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is on a read-only file system: name another store in {VARIABLE}"
    shown, user = quote(os.path.relpath(folder)), os.geteuid()
    if folder.stat().st_uid == user:
        return f"`chmod -R u+rwX {shown}`"
    return f"user {user} may not write there; as root, `chown -R {user} {shown}`"


KINDS: tuple[tuple[str, str | Callable[[str, re.Match[str]], str]], ...] = (
    (r"database schema \(found version (?!None)(\w+)", _another_schema),
    (r"file is not a database|malformed|no such (table|column)|found version None", _corrupt),
    (r"NotADirectoryError|FileExistsError", f"a part of its path is a file: correct {VARIABLE}"),
    (r"unable to open database|readonly database|PermissionError", _inaccessible),
    (r"disk is full|No space left", "free some space on its disk; the same command resumes"),
    (r"Invalid Host header", "name the host in the server's option --allowed-hosts (docs/security.md)"),
    (r"error code 40[13]", "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
    (r"error code 404|not in a valid JSON|InvalidUrl", f"no MLflow server has this address: correct {VARIABLE}"),
    (r"SSLError", f"correct https or http in {VARIABLE}, or name its certificate in MLFLOW_TRACKING_SERVER_CERT_PATH"),
    (r"too many 5\d\d error", "the reason is in the server's log"),
    (r"authentication failed|no password supplied", f"correct its user and password in {VARIABLE}"),
    (r'database ".*" does not exist', f"create the database, or correct its name in {VARIABLE}"),
    (
        r"No module named|Can't load plugin",
        f"`pip install 'sentiment-rnn[postgresql]'`, and name no driver in {VARIABLE}",
    ),
    (r"ConnectionError|ConnectionRefused|connection failed|Timeout", f"start it, or unset {VARIABLE}"),
)
