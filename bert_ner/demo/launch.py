"""Start the page on which pipelines can be tried, on this machine alone."""

import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .pipelines import find

ADDRESS = "127.0.0.1"
PAGE = Path(__file__).parent / "trying" / "page.py"
OPTIONS = {
    "server.address": ADDRESS,
    "server.allowedHosts": ADDRESS,  # another name that leads here is refused
    "browser.serverAddress": ADDRESS,
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "logger.hideWelcomeMessage": "true",
    "logger.level": "warning",
}


def arguments(names: list[str], port: int) -> list[str]:
    """How Streamlit is called.

    names (list[str]): The pipelines to choose from.
    port (int): Where the page listens.
    RETURNS (list[str]): What stands after `streamlit` in a terminal.
    """
    options = {**OPTIONS, "server.port": port}
    return ["run", str(PAGE), *(f"--{k}={v}" for k, v in options.items()), "--", *names]


def check_port(port: int) -> None:
    """Raise an `InputError` if something else listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one just left is free
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"port {port}: {error.strerror}. Name another one, such as --port {port + 1}."
            ) from error


def main(
    pipeline: Annotated[
        list[str] | None,
        typer.Option(help="Installed one or folder; may be repeated. Else all."),
    ] = None,
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Port.")] = 8501,
) -> None:
    """Start a page that shows what pipelines find in your text. Ctrl-C stops it."""
    if find_spec("streamlit") is None:
        raise InputError("Streamlit is not installed. Run `pip install -e '.[app]'`.")
    names = find(pipeline or [])
    check_port(port)
    from streamlit.web.cli import main as streamlit

    print(f"http://{ADDRESS}:{port} (Ctrl-C stops it)", flush=True)
    streamlit(arguments(names, port), standalone_mode=False)
