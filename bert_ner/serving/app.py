"""The service as an ASGI application."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from spacy.language import Language
from starlette.exceptions import HTTPException

from ..annotation.annotator import annotate
from ..annotation.records import Annotation
from ..errors import InputError
from . import models
from .batching import Batcher
from .guard import Guard, refusal
from .limits import Limits, RequestError
from .routes import add_health, add_pages, add_v1

DESCRIPTION = "Finds entities in texts. Offsets are half-open, in characters (Unicode code points)."


def make_app(
    nlp: Language,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Collection[str] = (),
) -> FastAPI:
    """Create the application.

    nlp (Language): The pipeline. From now on, only the thread of the service may use it.
    limits (Limits | None): The limits of requests and batches, None for the defaults.
    token (str | None): The token that requests must have, None if they need none.
    hosts (Collection[str]): The accepted values of the header `Host`, any if empty.
    RETURNS (FastAPI): The application. Its `state.batcher` runs the pipeline.
    RAISES (InputError): If `limits.chars` is more than the pipeline accepts.
    """
    limits = limits or Limits()
    if limits.chars > nlp.max_length:
        raise InputError(
            f"--max-chars {limits.chars}: the pipeline accepts at most {nlp.max_length:,} "
            "characters. Choose a lower limit."
        )
    batcher: Batcher[Annotation] = Batcher(partial(annotate, nlp), limits)
    app = _empty_app(batcher)
    app.add_middleware(Guard, limits=limits, token=token, hosts=hosts)
    _handle_errors(app)
    # only for the schema: the guard checks the token
    security = [Security(HTTPBearer(auto_error=False))] if token else []
    router = APIRouter(dependencies=security)
    add_v1(router, nlp, limits, batcher)
    app.include_router(router)
    add_health(app, batcher)
    add_pages(app, limits)
    return app


def _empty_app(batcher: Batcher[Annotation]) -> FastAPI:
    """Create an application without paths. The batcher starts and ends with it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await batcher.close()

    app = FastAPI(
        title="en_bert_ner",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # `add_pages` adds it; FastAPI's pages would load external scripts
        redirect_slashes=False,
    )
    app.state.batcher = batcher
    return app


def _handle_errors(app: FastAPI) -> None:
    """Give all errors one form that never quotes the request."""

    @app.exception_handler(RequestError)
    async def _(_: Request, error: RequestError) -> Response:
        return refusal(error.status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> Response:
        return refusal(422, models.explain_invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def _(_: Request, error: HTTPException) -> Response:
        if error.status_code == 400:  # JSON that Python cannot parse, such as deep nesting
            return refusal(422, models.BODY)
        return refusal(error.status_code, f"{error.detail}. See /docs.", dict(error.headers or {}))
