"""Access to the service: the token and the addresses."""

import ipaddress
import os
from pathlib import Path

from ..errors import InputError

TOKEN_VARIABLE = "EN_BERT_NER_TOKEN"
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")


def read_token(path: Path | None) -> str | None:
    """Read the token that requests must have.

    path (Path | None): The file with the token. If None, the environment variable
        `EN_BERT_NER_TOKEN` is read.
    RETURNS (str | None): The token, None if there is none.
    RAISES (InputError): If the token is empty or cannot be sent in a header.
    """
    if path:
        origin, token = str(path), path.read_text(encoding="utf-8", errors="replace").strip()
    elif TOKEN_VARIABLE in os.environ:
        origin, token = TOKEN_VARIABLE, os.environ[TOKEN_VARIABLE].strip()
    else:
        return None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{origin}: expected a token of ASCII letters, digits and punctuation.")
    return token


def is_local(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def allowed_hosts(address: str, token: str | None) -> list[str]:
    """List the values of the header `Host` that the service answers to.

    address (str): The address of the service, with brackets around IPv6.
    token (str | None): The token that requests must have.
    RETURNS (list[str]): The names of this machine if only the address protects the service,
        an empty list for any name.
    """
    return [] if token or not is_local(address.strip("[]")) else sorted({*LOCAL_NAMES, address})
