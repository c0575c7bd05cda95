"""Server: the application that serves the page, and the form of its messages."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ..errors import ConfigError, StoreError, StriateError
from . import routes
from .guard import Guard, told
from .subject import Subjects

STATIC = Path(__file__).parent / "static"


def page(subjects: Subjects, chosen: str = "") -> Any:
    """Return the ASGI application that shows runs, beginning with `chosen`."""
    app = FastAPI(title="striate explore", docs_url=None, redoc_url=None, openapi_url=None)
    _messages(app)
    routes.add(app, subjects, chosen)
    app.mount("/static", StaticFiles(directory=STATIC), "static")

    @app.get("/")
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    return Guard(app)


def _messages(app: FastAPI) -> None:
    """Answer every mistake in the rows of a message, without paths of this machine or its code."""

    @app.exception_handler(StriateError)
    def mistake(request: Request, error: StriateError) -> JSONResponse:
        return JSONResponse(told(error), 404 if isinstance(error, StoreError) else 422)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])[:80]
        said = ConfigError(field or "the request", "cannot be read", need=first["msg"])
        return JSONResponse(told(said), 422)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> JSONResponse:
        said = StriateError("striate explore", str(error.detail).lower())
        return JSONResponse(told(said), error.status_code)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> JSONResponse:
        traceback.print_exception(error, file=sys.stderr)
        said = StriateError(
            "striate explore", "could not answer", fix="the terminal has the reason"
        )
        return JSONResponse(told(said), 500)
