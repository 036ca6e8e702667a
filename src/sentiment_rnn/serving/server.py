"""The champion over HTTP: MLflow's scoring protocol, the effect of each word, and a page to type into.

Invalid requests get a 4xx status with the reason. Memory is bounded: by the size of a request, and because one large
request is parsed at a time (as Python's objects JSON takes up to 40 times its size).
"""

import asyncio
import ctypes
import socket
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import numpy as np
import uvicorn
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from mlflow.version import VERSION
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.occlusion import excerpt, occlusion_importance
from sentiment_rnn.serving.page import Page
from sentiment_rnn.serving.payload import CONTENT_TYPES, MAX_BYTES, parse_texts, unpack
from sentiment_rnn.serving.predict import predict_texts

BODY_TIMEOUT = 60  # seconds until a request has to be complete
LARGE = 2**16  # bytes of a body; to parse less takes a millisecond
PARALLEL_PREDICTIONS = 8
M_ARENA_MAX, ARENAS = -8, 2  # of glibc's mallopt
EXPLAINED_WORDS, EXPLAINED_CHARACTERS = 400, 20_000  # each word costs a prediction


def create_app(model: PyFuncModel, page: Page) -> Starlette:
    """The application.

    `POST /invocations` maps texts to `{"predictions": [{"label", "probability", "known_words"}]}`; `POST /explain` maps
    one text, sent in the same formats, to its prediction and the importance of its words. `GET /` is the page; `/ping`,
    `/health` and `/version` are those of MLflow's server.
    """
    large, predicting = CapacityLimiter(1), CapacityLimiter(PARALLEL_PREDICTIONS)

    async def texts_of(request: Request) -> list[str]:
        body, content_type = await _body(request), _content_type(request)
        if len(body) > LARGE:
            return await run_sync(parse_texts, body, content_type, limiter=large)
        return parse_texts(body, content_type)

    async def invocations(request: Request) -> Response:
        predictions = await run_sync(predict_texts, model, await texts_of(request), limiter=predicting)
        return JSONResponse({"predictions": predictions})

    async def explain_one(request: Request) -> Response:
        return JSONResponse(await run_sync(explain, model, await texts_of(request), limiter=predicting))

    async def root(request: Request) -> Response:
        return HTMLResponse(page.html, headers=page.headers)

    async def ping(request: Request) -> Response:
        return Response("\n", media_type="application/json")

    async def version(request: Request) -> Response:
        return Response(VERSION, media_type="application/json")

    routes = [
        Route("/", root),
        Route("/invocations", invocations, methods=["POST"]),
        Route("/explain", explain_one, methods=["POST"]),
        Route("/ping", ping),
        Route("/health", ping),
        Route("/version", version),
    ]
    return Starlette(
        routes=routes,
        exception_handlers=dict.fromkeys((UserError, HTTPException, MlflowException, ClientDisconnect), _error),
    )


def explain(model: PyFuncModel, texts: list[str]) -> dict[str, Any]:
    """The prediction of one text, and how much leaving out each of its words changes it.

    Returns:
        label, probability, known_words; `words`: each `word` as spelled, with its `importance`, the decrease of the log
        odds of the label if the word is left out everywhere.

    Raises:
        UserError: there are several texts, or the text is too long.
    """
    if len(texts) != 1:
        raise UserError(f"words are explained of one text at a time, the body has {len(texts)}")
    (text,) = texts
    count = len(text.split())
    if count > EXPLAINED_WORDS or len(text) > EXPLAINED_CHARACTERS:
        raise UserError(
            f"words are explained up to {EXPLAINED_WORDS} words and {EXPLAINED_CHARACTERS:,} characters: "
            f"the text has {count:,} words and {len(text):,} characters"
        )
    predictions: list[dict[str, Any]] = []

    def positive(texts: list[str]) -> np.ndarray:
        predictions.extend(predict_texts(model, texts))
        return np.array([prediction["probability"] for prediction in predictions])

    (importance,) = occlusion_importance(positive, [text])
    words = excerpt(text, importance, EXPLAINED_WORDS) if count else []
    return predictions[0] | {"words": [{"word": word, "importance": value} for word, value in words]}


async def _body(request: Request) -> bytes:
    """The body, unpacked.

    One that is too large is read to its end, because a client reads the response after it has sent all.
    """
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MAX_BYTES:
                    chunks.append(chunk)
    except TimeoutError:
        reason = f"the body was not complete within {BODY_TIMEOUT} s"
        raise HTTPException(408, reason, {"Connection": "close"}) from None
    if size > MAX_BYTES:
        raise HTTPException(413, f"the body is larger than {MAX_BYTES:,} bytes: send several requests")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise HTTPException(415, f"Content-Encoding should be gzip, or none; it is {encoding:.100}")
    body = b"".join(chunks)
    return unpack(body) if encoding == "gzip" else body


def _content_type(request: Request) -> str:
    name, _, parameter = request.headers.get("content-type", "").lower().replace(" ", "").partition(";")
    if name not in CONTENT_TYPES or parameter.replace('"', "") not in ("", "charset=utf-8"):
        found = request.headers.get("content-type", "missing")
        raise HTTPException(415, f"Content-Type should be {' or '.join(CONTENT_TYPES)}, in UTF-8; it is {found:.100}")
    return name


async def _error(request: Request, error: Exception) -> Response:
    """The response to an invalid request, in the form of MLflow's errors."""
    status, code, message = 400, HTTPStatus.BAD_REQUEST.name, str(error)
    if isinstance(error, HTTPException):
        status, code, message = error.status_code, HTTPStatus(error.status_code).name, error.detail
    elif isinstance(error, MlflowException):
        status, code, message = error.get_http_status_code(), error.error_code, error.message
    return JSONResponse({"error_code": code, "message": message}, status, getattr(error, "headers", None))


def serve(model: PyFuncModel, page: Page, listening: socket.socket) -> None:
    """Serve the model on a socket until Ctrl-C."""
    # with an arena for each thread, glibc keeps what each thread's largest body needed
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, ARENAS)
    config = uvicorn.Config(create_app(model, page), log_level="warning", timeout_graceful_shutdown=5)
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after the requests in progress
        uvicorn.Server(config).run([listening])
