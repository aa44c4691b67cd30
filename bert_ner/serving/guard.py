"""Checks before the application: host, token, size of the body; and the log."""

import asyncio
import hmac
import logging
import re
import time
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import Limits, RequestError

OPEN_PATHS = ("/health", "/docs", "/openapi.json")  # without a token
PATHS = (*OPEN_PATHS, "/v1/annotate", "/v1/model")
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}

logger = logging.getLogger(__name__)


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Make an error response. All errors have this form."""
    headers = {**HEADERS.get(status, {}), **(headers or {})}
    return JSONResponse({"error": message}, status, headers)


class Guard:
    """ASGI middleware that checks requests and logs them without their texts.

    app (ASGIApp): The application.
    limits (Limits): `body_bytes` and `body_seconds` are used.
    token (str | None): The token that requests must have, None if they need none.
    hosts (Collection[str]): The accepted values of the header `Host`, any if empty. Without
        this check, a page of another site could resolve its own name to this address (DNS
        rebinding) and read the answers.
    """

    def __init__(
        self, app: ASGIApp, *, limits: Limits, token: str | None, hosts: Collection[str] = ()
    ) -> None:
        self._app = app
        self._limits = limits
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        answer = await self._try(scope, receive, send_and_note)
        if answer and not status:
            await answer(scope, receive, send_and_note)
        path = scope["path"] if scope["path"] in PATHS else "(another path)"
        milliseconds = 1000 * (time.perf_counter() - started)
        logger.info("%s %s %d %.0f ms", scope["method"], path, status, milliseconds)

    async def _try(self, scope: Scope, receive: Receive, send: Send) -> JSONResponse | None:
        """Let the application answer. Returns the answer to a request that it did not finish."""
        close = {"Connection": "close"}  # the rest of the body is not read
        try:
            await self._check_and_pass(scope, receive, send)
        except RequestError as error:
            return refusal(error.status, str(error), close)
        except asyncio.CancelledError:  # the server's grace period is over
            return refusal(503, "The service is shutting down.", close)
        except Exception as error:
            # its message may contain a text
            logger.error("%s in %s", type(error).__name__, _location(error))
            return refusal(500, "The service failed. Its log says where.")
        return None

    async def _check_and_pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check host and token, read the body, and call the application."""
        headers = Headers(scope=scope)
        if self._hosts and _host_name(headers.get("host", "")) not in self._hosts:
            names = ", ".join(self._hosts)
            raise RequestError(
                403, f"Without a token, the service answers to {names} only. Set a token."
            )
        if scope["path"] not in OPEN_PATHS and not self._has_token(headers):
            raise RequestError(401, "Send the header Authorization: Bearer with the token.")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                messages = [await self._read(headers, receive)]
        except TimeoutError as error:
            seconds = self._limits.body_seconds
            raise RequestError(
                408, f"The body did not arrive within {seconds:g} seconds."
            ) from error

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    def _has_token(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        # bytes: compare_digest accepts only ASCII strings
        same = hmac.compare_digest(token.strip().encode(), self._token.encode())
        return same and scheme.lower() == "bearer"

    async def _read(self, headers: Headers, receive: Receive) -> Message:
        """Read a body until it exceeds the limit. A header that announces more is enough."""
        announced = headers.get("content-length", "")
        body, more = bytearray(), True
        while more:
            if max(len(body), int(announced or 0)) > self._limits.body_bytes:
                raise RequestError(
                    413,
                    f"The body is larger than {self._limits.body_bytes:,} bytes. "
                    "Send fewer or shorter texts.",
                )
            message = await receive()
            if message["type"] == "http.disconnect":
                return message
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return {"type": "http.request", "body": bytes(body), "more_body": False}


def _host_name(host: str) -> str:
    """The header Host without its port."""
    return re.sub(r":\d*$", "", host).lower()


def _location(error: Exception) -> str:
    """The file and line that raised an exception."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
