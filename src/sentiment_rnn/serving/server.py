"""MLflow's scoring server, which maps raw texts to predictions; all invalid requests get a 4xx status, not 500."""

import socket
from contextlib import suppress

import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from mlflow.pyfunc import PyFuncModel, scoring_server
from starlette.middleware.base import RequestResponseEndpoint


def create_app(model: PyFuncModel) -> FastAPI:
    """The application: `POST /invocations` maps `{"inputs": [text]}` to `{"predictions": [{"label", "probability"}]}`.

    MLflow calls `inference.pyfunc_model.SentimentModel`, and responds with 400 and the reason to most invalid requests.
    Added here are a missing Content-Type (415), and JSON that Python's parser refuses (400).
    """
    app = scoring_server.init(model)

    @app.middleware("http")
    async def require_content_type(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.url.path == "/invocations" and request.method == "POST" and "content-type" not in request.headers:
            return PlainTextResponse("Content-Type is missing: application/json", status_code=415)
        return await call_next(request)

    # MLflow handles the model's own errors; these come from the parser: nesting too deep, a number too long
    @app.exception_handler(RecursionError)
    @app.exception_handler(ValueError)
    async def bad_request(request: Request, error: Exception) -> Response:
        content = {"error_code": "BAD_REQUEST", "message": f"the request is not valid JSON: {error}"}
        return JSONResponse(content, status_code=400)

    return app


def serve(model: PyFuncModel, listening: socket.socket) -> None:
    """Serve the model on a socket until Ctrl-C."""
    torch.set_num_threads(1)  # a second thread slows a single review down, and each request has its own thread anyway
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after the requests in progress
        uvicorn.Server(uvicorn.Config(create_app(model))).run([listening])
