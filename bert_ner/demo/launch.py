"""Starts the demo for this machine only."""

import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputError

ADDRESS = "127.0.0.1"
PAGE = Path(__file__).with_name("page.py")
STREAMLIT_OPTIONS = {
    "server.address": ADDRESS,
    "server.allowedHosts": ADDRESS,  # requests for another host name are refused
    "browser.serverAddress": ADDRESS,
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "logger.hideWelcomeMessage": "true",
    "logger.level": "warning",
}


def run_demo(pipelines: list[str], port: int, *, on_start: Callable[[str], None]) -> None:
    """Run the demo until it is interrupted.

    pipelines (list[str]): Names or folders of the pipelines to choose from. If empty,
        all that are installed or built.
    port (int): Port of the page.
    on_start (Callable[[str], None]): Called with the address of the page.
    RAISES (InputError): If Streamlit is not installed, a pipeline does not exist, or the
        port is in use.
    """
    if find_spec("streamlit") is None:
        raise InputError("Streamlit is not installed. Run `pip install -e '.[app]'`.")
    from .pipelines import find_pipelines

    names = find_pipelines(pipelines)
    check_port(port)
    from streamlit.web.cli import main as streamlit

    on_start(f"http://{ADDRESS}:{port}")
    streamlit(streamlit_arguments(names, port), standalone_mode=False)


def streamlit_arguments(pipelines: list[str], port: int) -> list[str]:
    """List the arguments of Streamlit's command line.

    pipelines (list[str]): Names or folders of the pipelines to choose from.
    port (int): Port of the page.
    RETURNS (list[str]): The arguments that follow `streamlit` in a terminal.
    """
    options = {**STREAMLIT_OPTIONS, "server.port": port}
    return ["run", str(PAGE), *(f"--{k}={v}" for k, v in options.items()), "--", *pipelines]


def check_port(port: int) -> None:
    """Check that a port is free.

    port (int): The port.
    RAISES (InputError): If another process listens on it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just closed is free
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"port {port}: {error.strerror}. Name another one, such as --port {port + 1}."
            ) from error
