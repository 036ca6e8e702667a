"""The URI of MLflow's store, in one spelling and without its password."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from sentiment_rnn.errors import UserError

VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT = "sqlite:///mlruns/mlflow.db"


def tracking_uri() -> str:
    """The environment's MLFLOW_TRACKING_URI, else a database in the project (MLflow refuses a plain file store).

    The project's database has the same URI wherever the project is. The URI is written to files and printed, so its
    password is moved to the environment variable that MLflow or PostgreSQL's library reads it from.

    Raises:
        UserError: the URI has another form.
    """
    uri = os.environ.get(VARIABLE) or DEFAULT
    if uri.startswith(("http://", "https://")):
        return _server(uri)
    try:
        url = make_url(uri)
    except ArgumentError:
        raise _unsupported(uri) from None
    if url.drivername in ("sqlite", "sqlite+pysqlite") and not url.host:
        return _sqlite(url)
    if url.get_backend_name() == "postgresql":
        return _postgresql(url)
    raise _unsupported(uri)


def database(uri: str) -> Path | None:
    """The file of an SQLite URI; None for another store."""
    return Path(make_url(uri).database or "") if uri.startswith("sqlite:") else None


def redact(text: str) -> str:
    """A text without the logins and passwords of the URIs in it."""
    return re.sub(r"//\S*@", "//***@", re.sub(r"password=[^&\s]*", "password=***", text))


def _server(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.password is None:
        return uri
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username or "")
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password)
    os.environ[VARIABLE] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return os.environ[VARIABLE]


def _sqlite(url: URL) -> str:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise _unsupported(str(url))
    # the copy where DVC runs a queued experiment uses the store of the project itself
    project, here = Path(os.environ.get("DVC_ROOT", "")).resolve(), Path.cwd()
    path = os.path.normpath(url.database if project == here else project / url.database)
    query = urlencode(dict(url.query), doseq=True)
    path = path.replace("%", "%25").replace("?", "%3F")  # MLflow expects all else unquoted
    return f"sqlite:///{path}?{query}" if query else f"sqlite:///{path}"


def _postgresql(url: URL) -> str:
    password = url.password or url.query.get("password")
    if not password:
        return str(url)
    os.environ["PGPASSWORD"] = str(password)
    query = {key: value for key, value in url.query.items() if key != "password"}
    public = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    os.environ[VARIABLE] = str(public)
    return os.environ[VARIABLE]


def _unsupported(uri: str) -> UserError:
    return UserError(
        f"{VARIABLE}={redact(uri)} is not supported: a file is sqlite:///FOLDER/mlflow.db (four slashes before an "
        "absolute path), a server http://HOST:5000 or https://HOST, a database postgresql://USER@HOST/DATABASE"
    )
