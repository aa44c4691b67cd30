"""The web server around the application, with its log and its end."""

import errno
import logging
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ..errors import InputError

GRACE = 30  # seconds for what was taken to be answered, after a signal to stop
BACKLOG = 1_024  # connections that wait to be taken


class Server(uvicorn.Server):
    """A uvicorn that takes no more texts from the moment it is told to stop."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # it has query strings; the guard logs
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE,
        )
        super().__init__(config)
        self._batcher = app.state.batcher

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: what was taken is answered, the rest refused."""
        self._batcher.refuse()
        super().handle_exit(sig, frame)


def bind(host: str, port: int) -> socket.socket:
    """Take an address.

    host (str): Its name or number.
    port (int): The port, 0 for any that is free.
    RETURNS (socket.socket): A socket that listens, so that no other process can take the
        address too; who connects waits for `run`.
    RAISES (InputError): If it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only where a socket says that it is of TCP; without, an
    # answer's body waits 40 ms for its head to be acknowledged
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise InputError(f"{host}:{port}: {error.strerror}. Name another {option}.") from error
    return bound


def run(app: FastAPI, bound: socket.socket) -> None:
    """Serve until a signal to stop, then answer what was taken.

    app (FastAPI): What `make_app` gives.
    bound (socket.socket): What `bind` gives.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    for name in ("bert_ner.serving", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.INFO)
    # When it is done, uvicorn sends itself the signal again, to whatever stood here before:
    # by default that ends the process as if it had failed.
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: None)
    Server(app).run(sockets=[bound])
