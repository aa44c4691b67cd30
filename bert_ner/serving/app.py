"""The service as an ASGI application."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer
from pydantic import BeforeValidator
from spacy.language import Language
from starlette.exceptions import HTTPException

from ..annotation.annotator import Annotation, annotate
from ..errors import InputError
from . import models
from .batching import Batcher
from .guard import Guard, refusal
from .limits import Limits, RequestError
from .meta import describe, gives_scores
from .page import HEADERS, render

ABOUT = "Finds entities in texts. Offsets are half-open, in characters (Unicode code points)."
ERRORS: dict[int, str] = {
    401: "The token is missing or wrong, where the service has one.",
    403: "There is no token, and the header Host is none of this machine's own names.",
    408: "The body took too long to arrive.",
    413: "A text, a word of it or the body is too long.",
    422: "The body is not as described here, or has too many texts.",
    429: "Too many texts wait. Try again after the seconds of the header Retry-After.",
    500: "The pipeline failed on one of the texts. Those of other requests are not touched.",
    503: "The service takes no texts: it is shutting down, or what reads them has failed.",
}
Value = TypeVar("Value")

logger = logging.getLogger(__name__)


def make_app(
    nlp: Language,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Collection[str] = (),
) -> FastAPI:
    """Make the service.

    nlp (Language): The pipeline. From now on it is the service's: one thread uses it.
    limits (Limits | None): How much the service takes, None for the defaults.
    token (str | None): What requests must bear, None if nothing.
    hosts (Collection[str]): The names that requests may call it by, any if empty.
    RETURNS (FastAPI): The application. Its `state.batcher` is what runs the pipeline.
    RAISES (InputError): If a text may be longer than the pipeline reads.
    """
    limits = limits or Limits()
    if limits.chars > nlp.max_length:
        raise InputError(
            f"--max-chars {limits.chars}: the pipeline reads {nlp.max_length:,} characters at most."
            " Allow fewer."
        )
    batcher: Batcher[Annotation] = Batcher(partial(annotate, nlp), limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await batcher.close()

    app = FastAPI(
        title="en_bert_ner",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        openapi_url=None,  # nor FastAPI's pages, which load scripts from elsewhere: see _add_pages
        redirect_slashes=False,
    )
    app.state.batcher = batcher
    app.add_middleware(Guard, limits=limits, token=token, hosts=hosts)
    _answer_errors(app)
    # for the OpenAPI page; what compares the token is the guard
    closed = APIRouter(dependencies=[Security(HTTPBearer(auto_error=False))] if token else [])
    _add_paths(closed, nlp, limits, batcher)
    app.include_router(closed)
    _add_health(app, batcher)
    _add_pages(app, limits)
    return app


def _answer_errors(app: FastAPI) -> None:
    """Let all errors look alike, and none of them repeat what a request said."""

    @app.exception_handler(RequestError)
    async def _(_: Request, error: RequestError) -> Response:
        return refusal(error.status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> Response:
        return refusal(422, models.explain_invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def _(_: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # JSON that Python cannot read, as of too many brackets
            return refusal(422, models.BODY)
        return refusal(error.status_code, f"{error.detail}. See /docs.", dict(error.headers or {}))


def _add_paths(
    router: APIRouter, nlp: Language, limits: Limits, batcher: Batcher[Annotation]
) -> None:
    """Add what needs the token."""
    model = describe(nlp, limits)
    has_scores = gives_scores(nlp)

    @router.post(
        "/v1/annotate",
        summary="Find the entities of one text or of several",
        response_model=models.Annotation | models.Annotations,
        responses=_errors(*ERRORS),
    )
    async def annotate_texts(
        body: Annotated[models.Request, BeforeValidator(partial(models.check_size, limits=limits))],
        request: Request,
    ) -> Response:
        texts = body.named()
        limits.check(texts)
        if body.min_confidence and not has_scores:
            raise RequestError(422, "min_confidence: the pipeline gives no scores. Leave it out.")
        found = await _while_there(request, batcher.submit(list(texts.values())))
        if found is None:
            return Response(status_code=499)  # nobody reads it
        _complain(dict(zip(texts, found, strict=True)))
        results = [_as_wanted(one, body) for one in found if isinstance(one, dict)]
        return JSONResponse({"results": results} if "text" not in texts else results[0])

    @router.get(
        "/v1/model", summary="The pipeline: labels, scores, limits", responses=_errors(401, 403)
    )
    async def show_model() -> models.Model:
        return model


def _add_health(app: FastAPI, batcher: Batcher[Annotation]) -> None:
    @app.get("/health", summary="Whether the service takes texts", responses=_errors(403, 503))
    async def health() -> models.Health:
        if batcher.closing:
            raise RequestError(503, ERRORS[503])
        return models.Health(status="ok")


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a path, for OpenAPI."""
    return {one: {"model": models.Error, "description": ERRORS[one]} for one in statuses}


async def _while_there(request: Request, work: Coroutine[Any, Any, Value]) -> Value | None:
    """Do work for a request, unless it is hung up first: then the work is cancelled.

    RETURNS (Value | None): What the work gives, None if nobody waits for it any more.
    """
    working = asyncio.ensure_future(work)
    # the body has been read: what comes next can only be the end
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        gone.cancel()


def _complain(found: dict[str, Annotation | Exception]) -> None:
    """Refuse with 500 if the pipeline failed on a text.

    What it says may have the text in it: only the kind of error is logged.
    """
    failed = {name: one for name, one in found.items() if isinstance(one, Exception)}
    if not failed:
        return
    kinds = sorted({type(error).__name__ for error in failed.values()})
    logger.error("the pipeline failed on %d of %d texts: %s", len(failed), len(found), kinds)
    cure = " Send the others without." if len(failed) < len(found) else ""
    raise RequestError(500, f"The pipeline failed on {', '.join(failed)}.{cure}")


def _as_wanted(annotation: Annotation, body: models.Request) -> Annotation:
    """An annotation with what a request wants of it."""
    spans = annotation["spans"]
    if least := body.min_confidence:
        spans = [span for span in spans if span.get("score", 1.0) >= least]
    tokens = {"tokens": annotation["tokens"]} if body.tokens else {}
    return {"text": annotation["text"], **tokens, "spans": spans}


def _add_pages(app: FastAPI, limits: Limits) -> None:
    """Describe the paths so far, for programs and for people."""
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    # the models hold for any limits
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
