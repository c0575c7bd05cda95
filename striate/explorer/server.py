"""Server: the routes of the page, each handing over to the file that knows the answer."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from ..errors import ConfigError, StoreError, StriateError
from . import requests, units, view
from .guard import Guard, told
from .subject import Subjects
from .upload import MAX_BYTES

STATIC = Path(__file__).parent / "static"


def page(subjects: Subjects, chosen: str = "") -> Any:
    """Return the ASGI application that shows runs, beginning with `chosen`."""
    app = FastAPI(title="striate explore", docs_url=None, redoc_url=None, openapi_url=None)
    _messages(app)
    _looks(app, subjects, chosen)
    app.mount("/static", StaticFiles(directory=STATIC), "static")

    @app.get("/")
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    return Guard(app)


def _looks(app: FastAPI, subjects: Subjects, chosen: str) -> None:
    """Add the routes about one picture in one run."""

    @app.get("/api/runs")
    def runs() -> dict[str, Any]:
        names = subjects.names()
        return {"runs": names, "chosen": chosen if chosen in names else (names or [""])[0]}

    @app.get("/api/model")
    def model(run: str) -> dict[str, Any]:
        return view.model(subjects[run])

    @app.get("/api/sample")
    def sample(run: str, kind: str = "random", at: int = 0, label: int = -1) -> dict[str, Any]:
        return view.sample(subjects[run], kind, at, label)

    @app.post("/api/upload")
    async def upload(
        file: UploadFile,
        run: Annotated[str, Form(max_length=200)],
        invert: Annotated[bool, Form()] = False,
        centre: Annotated[bool, Form()] = False,
    ) -> dict[str, Any]:
        data = await file.read(MAX_BYTES + 1)
        return view.upload(subjects[run], data, invert, centre)

    @app.post("/api/predict")
    def predict(asked: requests.Edited) -> dict[str, Any]:
        return view.predict(subjects[asked.run], asked)

    @app.post("/api/unit")
    def unit(asked: requests.Unit) -> dict[str, Any]:
        return units.unit_of(subjects[asked.run], asked)

    @app.post("/api/trace")
    def traced(asked: requests.Trace) -> Response:
        data = view.traced(subjects[asked.run], asked)
        return Response(data, media_type="application/octet-stream")


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
