"""The web server around the application: its address, its log and its shutdown."""

import errno
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ..annotation.annotator import load
from ..devices import choose_gpu, use_device
from ..errors import InputError
from .access import allowed_hosts, is_local
from .app import make_app
from .limits import Limits

GRACE = 30  # seconds to answer accepted requests after a signal to stop
BACKLOG = 1_024  # connections that wait to be accepted


class Server(uvicorn.Server):
    """A uvicorn server that refuses new texts as soon as it is told to stop."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # it contains query strings; the guard logs instead
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
        """Stop: answer the accepted requests and refuse the rest."""
        self._batcher.refuse()
        super().handle_exit(sig, frame)


@dataclass(frozen=True)
class Service:
    """A pipeline that is ready to be served.

    url (str): The address, such as "http://127.0.0.1:8000".
    is_open (bool): Whether other machines can use it without a token.
    app (FastAPI): The application.
    listener (socket.socket): The socket that it listens on.
    """

    url: str
    is_open: bool
    app: FastAPI
    listener: socket.socket

    def run(self) -> None:
        """Serve until a signal to stop, then answer the accepted requests."""
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
        for name in ("bert_ner.serving", "uvicorn.error"):
            logging.getLogger(name).setLevel(logging.INFO)
        # After its shutdown uvicorn raises the signal again for the previous handler. The
        # default handler ends the process as if it had failed.
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, lambda *_: None)
        Server(self.app).run(sockets=[self.listener])


@contextmanager
def open_service(
    pipeline: str,
    *,
    host: str,
    port: int,
    limits: Limits,
    token: str | None = None,
    gpu_id: str = "auto",
) -> Iterator[Service]:
    """Bind an address, then load a pipeline. Clients that connect wait for `Service.run`.

    pipeline (str): An installed pipeline or a folder.
    host (str): The name or number of the address.
    port (int): The port, 0 for any free one.
    limits (Limits): The limits of requests and batches.
    token (str | None): The token that requests must have.
    gpu_id (str): "auto", a GPU's number, or -1 for the CPU.
    YIELDS (Service): The service. The address is released at the end of the block.
    RAISES (InputError): If the address, the GPU or the pipeline cannot be used.
    """
    with bind(host, port) as bound:
        use_device(choose_gpu(gpu_id))
        address = f"[{host}]" if ":" in host else host
        app = make_app(load(pipeline), limits, token, allowed_hosts(address, token))
        url = f"http://{address}:{bound.getsockname()[1]}"
        yield Service(url, token is None and not is_local(host), app, bound)


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address.

    host (str): The name or number of the address.
    port (int): The port, 0 for any free one.
    RETURNS (socket.socket): A listening socket. No other process can bind the address, and
        clients that connect wait for `Service.run`.
    RAISES (InputError): If the address is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only sends at once (TCP_NODELAY) if the socket declares TCP. Otherwise the body of
    # an answer waits 40 ms until its head is acknowledged.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        option = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        raise InputError(f"{host}:{port}: {error.strerror}. Choose another {option}.") from error
    return bound
