"""MLflow's own scoring server on the loopback address, and a 4xx where it would answer 500."""

import os
import socket
from contextlib import suppress

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from mlflow.pyfunc import PyFuncModel, scoring_server
from starlette.middleware.base import RequestResponseEndpoint

from sentiment_rnn.errors import UserError

HOST = "127.0.0.1"  # it asks nobody who they are: docs/security.md


def application(model: PyFuncModel) -> FastAPI:
    """`/invocations` takes `{"inputs": ["What a film!"]}` and answers `{"predictions": [{"label": ..., ...}]}`.

    MLflow answers 400 with the reason to what the model refuses, and to most of what cannot be read. The rest is told
    here: a request that does not say what it sends, JSON that Python does not read.
    """
    app = scoring_server.init(model)

    @app.middleware("http")
    async def say_what_is_sent(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.url.path == "/invocations" and request.method == "POST" and "content-type" not in request.headers:
            return PlainTextResponse("Content-Type is missing: application/json", status_code=415)
        return await call_next(request)

    # of a model's errors MLflow makes a 400 itself; what comes here was raised by reading: JSON that is nested too
    # deep, a number of thousands of digits
    @app.exception_handler(RecursionError)
    @app.exception_handler(ValueError)
    async def unreadable(request: Request, error: Exception) -> Response:
        said = {"error_code": "BAD_REQUEST", "message": f"the request cannot be read: {error}"}
        return JSONResponse(said, status_code=400)

    return app


def listen(port: int) -> socket.socket:
    """A socket of this machine alone; 0 takes a free port.

    Raises:
        UserError: the port is taken, or not ours to take.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise UserError(f"port {port} of {HOST} cannot be had ({why}): name another") from None
    # connections inherit it, and asyncio sees to it only where it makes the socket: else a short answer waits for 40 ms
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def serve(model: PyFuncModel, listening: socket.socket) -> None:
    """Answer until Ctrl-C."""
    torch.set_num_threads(1)  # on one review a second thread costs more than it gives; each request has a thread anyway
    with suppress(KeyboardInterrupt):  # uvicorn raises it again when it has answered what was under way
        uvicorn.Server(uvicorn.Config(application(model))).run([listening])
