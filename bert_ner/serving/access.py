"""Serve a pipeline over HTTP."""

import ipaddress
import os
from pathlib import Path
from typing import Annotated

import typer

from ..annotation.annotator import PIPELINE, load
from ..devices import choose_gpu, use_device
from ..errors import InputError
from .limits import Limits

TOKEN = "EN_BERT_NER_TOKEN"
LOCAL = ("127.0.0.1", "localhost", "[::1]")


def read_token(path: Path | None) -> str | None:
    """Read what requests must bear.

    path (Path | None): A file that has it, None for the environment variable
        EN_BERT_NER_TOKEN.
    RETURNS (str | None): The token, None if there is none.
    RAISES (InputError): If it is empty, or nothing that a header can have.
    """
    if path:
        where, token = str(path), path.read_text(encoding="utf-8", errors="replace").strip()
    elif TOKEN in os.environ:
        where, token = TOKEN, os.environ[TOKEN].strip()
    else:
        return None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{where}: expected a token of letters, digits and punctuation of ASCII.")
    return token


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def hosts_of(address: str, token: str | None) -> list[str]:
    """The names that requests may call the service by.

    address (str): What it listens on, as it stands in addresses of pages.
    token (str | None): What requests must bear.
    RETURNS (list[str]): This machine's own names if nothing else keeps others out, none for any.
    """
    return [] if token or not is_local(address.strip("[]")) else sorted({*LOCAL, address})


def main(
    given: Annotated[
        str, typer.Argument(metavar="PIPELINE", help="An installed pipeline or a folder.")
    ] = PIPELINE,
    pipeline: Annotated[str | None, typer.Option(help="The same as an option, which wins.")] = None,
    host: Annotated[str, typer.Option(help="0.0.0.0 for all the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any.")] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"File with the token that requests must bear, else {TOKEN} has it."),
    ] = None,
    max_chars: Annotated[int, typer.Option(min=1, help="Of a text.")] = Limits.chars,
    max_texts: Annotated[int, typer.Option(min=1, help="Of a request.")] = Limits.texts,
    queue: Annotated[int, typer.Option(min=1, help="Texts that may wait.")] = Limits.queue,
    max_batch: Annotated[int, typer.Option(min=1, help="Texts read together.")] = Limits.batch,
    max_wait_ms: Annotated[
        float, typer.Option(min=0, help="How long a text waits for others to be read with.")
    ] = Limits.wait_ms,
    gpu_id: Annotated[str, typer.Option(help='"auto", a GPU\'s number, or -1.')] = "auto",
) -> None:
    """Serve a pipeline over HTTP until a signal to stop."""
    try:
        from .app import make_app
        from .server import bind, run
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is missing. Run `pip install -e '.[serve]'`.") from error
    limits = Limits(max_chars, max_texts, queue, max_batch, wait_ms=max_wait_ms)
    token = read_token(token_file)
    with bind(host, port) as bound:
        use_device(choose_gpu(gpu_id))
        where = f"[{host}]" if ":" in host else host
        name = pipeline or given
        app = make_app(load(name), limits, token, hosts_of(where, token))
        if token is None and not is_local(host):
            print(f"Anyone who reaches {host} may use this: there is no token.")
        print(f"{name} on http://{where}:{bound.getsockname()[1]}/docs", flush=True)
        run(app, bound)
