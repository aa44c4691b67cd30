"""What stands before the application: token, size of bodies, log, and what nobody foresaw."""

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

OPEN = ("/health", "/docs", "/openapi.json")  # without a token
PATHS = (*OPEN, "/v1/annotate", "/v1/model")
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}}

logger = logging.getLogger(__name__)


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer in the one form that all errors have."""
    headers = {**HEADERS.get(status, {}), **(headers or {})}
    return JSONResponse({"error": message}, status, headers)


class Guard:
    """ASGI middleware that lets through what may be read, and logs it without its texts.

    app (ASGIApp): The application.
    limits (Limits): Of them `body_bytes` and `body_seconds`.
    token (str | None): What requests must bear, None if nothing.
    hosts (Collection[str]): The names that requests may call it by, any if empty. Where nothing
        but the address keeps others out, a page of another site could have its own name lead to
        that address, and then read the answers.
    """

    def __init__(
        self, app: ASGIApp, *, limits: Limits, token: str | None, hosts: Collection[str] = ()
    ) -> None:
        self._app = app
        self._limits = limits
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, or answer it."""
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

        try:
            await self._pass(scope, receive, send_and_note)
        except RequestError as error:
            # nothing more is read of this connection
            answer = refusal(error.status, str(error), {"Connection": "close"})
            await answer(scope, receive, send_and_note)
        except asyncio.CancelledError:  # by the server, which waits no longer for its end
            if not status:
                answer = refusal(503, "The service is shutting down.", {"Connection": "close"})
                await answer(scope, receive, send_and_note)
        except Exception as error:
            # its message may have a text in it
            logger.error("%s in %s", type(error).__name__, _where(error))
            if not status:
                answer = refusal(500, "The service failed. Its log says where.")
                await answer(scope, receive, send_and_note)
        path = scope["path"] if scope["path"] in PATHS else "(another path)"
        took = 1000 * (time.perf_counter() - started)
        logger.info("%s %s %d %.0f ms", scope["method"], path, status, took)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check host and token, read the body, and let the application have it."""
        headers = Headers(scope=scope)
        if self._hosts and _name(headers.get("host", "")) not in self._hosts:
            names = ", ".join(self._hosts)
            raise RequestError(403, f"Without a token this answers to {names} only. Use one.")
        if scope["path"] not in OPEN and not self._may_enter(headers):
            raise RequestError(401, "This needs the header Authorization: Bearer and the token.")
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

    def _may_enter(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # bytes: compare_digest takes no other strings than of ASCII
        same = hmac.compare_digest(given.strip().encode(), self._token.encode())
        return same and scheme.lower() == "bearer"

    async def _read(self, headers: Headers, receive: Receive) -> Message:
        """Read a body, unless it says or turns out that it is too large."""
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


def _name(host: str) -> str:
    """The header Host without its port."""
    return re.sub(r":\d*$", "", host).lower()


def _where(error: Exception) -> str:
    """The place in the code that an exception comes from."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
