"""The paths of the service."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Annotated, Any, NotRequired, TypedDict, TypeVar

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BeforeValidator
from spacy.language import Language

from ..annotation.records import AnnotatedSpan, AnnotatedToken, Annotation
from . import models
from .batching import Batcher
from .docs_page import HEADERS, render
from .limits import Limits, RequestError
from .meta import describe

ERRORS: dict[int, str] = {
    401: "The token is missing or wrong.",
    403: "The service has no token, and the header Host is not one of this machine's own names.",
    408: "The body did not arrive in time.",
    413: "A text, a word of it or the body is too long.",
    422: "The body does not match the schema, or has too many texts.",
    429: "Too many texts are waiting. Wait the number of seconds in the header Retry-After.",
    500: "The pipeline failed on one of the texts. Other requests are not affected.",
    503: "The service is shutting down, or its worker has failed.",
}
Value = TypeVar("Value")

logger = logging.getLogger(__name__)


class _Answer(TypedDict):
    text: str
    tokens: NotRequired[list[AnnotatedToken]]
    spans: list[AnnotatedSpan]


def add_v1(router: APIRouter, nlp: Language, limits: Limits, batcher: Batcher[Annotation]) -> None:
    """Add the paths below /v1, which need the token."""
    model = describe(nlp, limits)

    @router.post(
        "/v1/annotate",
        summary="Find the entities in one text or several",
        response_model=models.Annotation | models.Annotations,
        responses=_error_responses(*ERRORS),
    )
    async def annotate_texts(
        body: Annotated[models.Request, BeforeValidator(partial(models.check_size, limits=limits))],
        request: Request,
    ) -> Response:
        if body.min_confidence and not model.gives_scores:
            raise RequestError(422, "min_confidence: the pipeline gives no scores. Leave it out.")
        return await _annotate(body, request, limits, batcher)

    @router.get(
        "/v1/model",
        summary="The pipeline: labels, scores, limits",
        responses=_error_responses(401, 403),
    )
    async def show_model() -> models.Model:
        return model


def add_health(app: FastAPI, batcher: Batcher[Annotation]) -> None:
    """Add the path for health checks."""

    @app.get(
        "/health",
        summary="Whether the service accepts texts",
        responses=_error_responses(403, 503),
    )
    async def health() -> models.Health:
        if batcher.closing:
            raise RequestError(503, ERRORS[503])
        return models.Health(status="ok")


def add_pages(app: FastAPI, limits: Limits) -> None:
    """Add the schema of the existing paths, and the page that shows it."""
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    # the models do not know the limits
    fields = schema["components"]["schemas"]["Request"]["properties"]
    for text in (fields["text"], fields["texts"]["items"]):
        text["maxLength"] = limits.chars
    fields["texts"]["maxItems"] = limits.texts
    page = render(schema)

    @app.get("/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(schema)

    @app.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(page, headers=HEADERS)


def _error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe errors for the OpenAPI schema."""
    return {one: {"model": models.Error, "description": ERRORS[one]} for one in statuses}


async def _annotate(
    body: models.Request, request: Request, limits: Limits, batcher: Batcher[Annotation]
) -> Response:
    texts = body.named()
    limits.check(texts)
    results = await _unless_disconnected(request, batcher.submit(list(texts.values())))
    if results is None:
        return Response(status_code=499)  # the client has disconnected
    _raise_if_failed(dict(zip(texts, results, strict=True)))
    annotations = [_select(one, body) for one in results if not isinstance(one, Exception)]
    return JSONResponse({"results": annotations} if "text" not in texts else annotations[0])


async def _unless_disconnected(request: Request, work: Coroutine[Any, Any, Value]) -> Value | None:
    """Await work for a request, and cancel it if the client disconnects.

    RETURNS (Value | None): The result of the work, None if the client disconnected.
    """
    working = asyncio.ensure_future(work)
    # the body has been read: the next message can only be the disconnect
    disconnected = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        disconnected.cancel()


def _raise_if_failed(results: dict[str, Annotation | Exception]) -> None:
    """Raise a `RequestError` if the pipeline failed on a text.

    Only the kind of error is logged, because its message may contain the text.
    """
    failed = {name: one for name, one in results.items() if isinstance(one, Exception)}
    if not failed:
        return
    kinds = sorted({type(error).__name__ for error in failed.values()})
    logger.error("the pipeline failed on %d of %d texts: %s", len(failed), len(results), kinds)
    remedy = " Send the other texts again." if len(failed) < len(results) else ""
    raise RequestError(500, f"The pipeline failed on {', '.join(failed)}.{remedy}")


def _select(annotation: Annotation, body: models.Request) -> _Answer:
    """Select the parts of an annotation that a request asks for."""
    spans = annotation["spans"]
    if minimum := body.min_confidence:
        spans = [span for span in spans if span.get("score", 1.0) >= minimum]
    if not body.tokens:
        return {"text": annotation["text"], "spans": spans}
    return {"text": annotation["text"], "tokens": annotation["tokens"], "spans": spans}
