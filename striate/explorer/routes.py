"""Routes: what the page asks, each handing over to the file that knows the answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Response, UploadFile
from fastapi.responses import StreamingResponse

from . import progress, requests, results, shelf, units, view, why
from .subject import Subjects
from .upload import MAX_BYTES

Page = Annotated[int, Query(ge=0, le=10**6)]


def add(app: FastAPI, subjects: Subjects, chosen: str) -> None:
    """Add every route; `chosen` is the run that is shown first."""
    _looks(app, subjects, chosen)
    _reasons(app, subjects)
    _results(app, subjects)
    _runs(app, subjects)


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

    @app.post("/api/logits")
    def logits(asked: requests.Edited) -> dict[str, Any]:
        return view.scored(subjects[asked.run], asked)

    @app.post("/api/unit")
    def unit(asked: requests.Unit) -> dict[str, Any]:
        return units.unit_of(subjects[asked.run], asked)

    @app.post("/api/trace")
    def traced(asked: requests.Trace) -> Response:
        data = view.traced(subjects[asked.run], asked)
        return Response(data, media_type="application/octet-stream")


def _reasons(app: FastAPI, subjects: Subjects) -> None:
    """Add the routes about why."""

    @app.post("/api/cam")
    def cam(asked: requests.Why) -> dict[str, Any]:
        return why.speaks(subjects[asked.run], asked)

    @app.post("/api/sanity")
    def sanity(asked: requests.Why) -> dict[str, Any]:
        return why.checked(subjects[asked.run], asked)

    @app.post("/api/nearest")
    def nearest(asked: requests.Look) -> dict[str, Any]:
        return why.alike(subjects[asked.run], asked)

    @app.post("/api/likes")
    def likes(asked: requests.Likes) -> dict[str, Any]:
        return why.favourites(subjects[asked.run], asked)


def _results(app: FastAPI, subjects: Subjects) -> None:
    """Add the routes about the test pictures, the layers and the data."""

    @app.get("/api/mistakes")
    def mistakes(run: str) -> dict[str, Any]:
        return results.overview(subjects[run])

    @app.get("/api/mistakes/pictures")
    def pictures(
        run: str, which: str = "worst", true: int = 0, pred: int = 0, page: Page = 0
    ) -> dict[str, Any]:
        return results.listed(subjects[run], which, true, pred, page)

    @app.get("/api/health")
    def health(run: str) -> dict[str, Any]:
        return results.layers(subjects[run])

    @app.get("/api/data")
    def data(run: str) -> dict[str, Any]:
        return results.data(subjects[run])


def _runs(app: FastAPI, subjects: Subjects) -> None:
    """Add the routes about training, and about runs beside each other."""

    @app.get("/api/curves")
    def curves(run: str, since: Page = 0) -> StreamingResponse:
        subject = subjects[run]
        told = progress.events(subject.path, subject.config, since)
        return StreamingResponse(told, media_type="text/event-stream")

    @app.get("/api/table")
    def table() -> dict[str, Any]:
        return {"runs": shelf.table(subjects)}

    @app.get("/api/compare")
    def compare(one: str, other: str) -> dict[str, Any]:
        return shelf.compared(subjects[one], subjects[other])

    @app.get("/api/kernels")
    def kernels(run: str, layer: str, epoch: Page | None = None) -> dict[str, Any]:
        return shelf.kernel_pictures(subjects[run], layer, epoch)
