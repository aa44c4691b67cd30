"""Many clients of one service, all on the service's machine."""

import asyncio
import json
import os
import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

from ..errors import InputError

HOST = "127.0.0.1"
STOP_SECONDS = 60
RETRY_SECONDS = 1.0  # after a response with status 429


@dataclass
class Responses:
    """The responses that clients got.

    elapsed (float): Seconds until the last response.
    statuses (Counter[int]): Number of responses by status; 0 for broken connections.
    seconds (list[float]): Latency of each response with status 200.
    bodies (dict[str, set[bytes]]): The different bodies for each text.
    """

    elapsed: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    bodies: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))


@contextmanager
def service(command: Sequence[str]) -> Iterator[int]:
    """Run the service in a process on a free port.

    command (Sequence[str]): The program and its arguments, to which `--port 0` is added. It
        must print a line that ends with the port and "/docs".
    YIELDS (int): The port.
    RAISES (InputError): If the service does not start or does not exit with 0.
    """
    environment = {k: v for k, v in os.environ.items() if k != "EN_BERT_NER_TOKEN"}
    process = subprocess.Popen(
        [*command, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not (match := re.search(r":(\d+)/docs$", line.strip())):
            raise InputError(f"the service did not start: {' '.join(command)}")
        yield int(match[1])
    finally:
        with process:  # closes its output
            process.terminate()
            code = process.wait(STOP_SECONDS)
    if code:
        raise InputError(f"the service ended with exit code {code}.")


async def drive(port: int, texts: Sequence[str], *, clients: int, seconds: float) -> Responses:
    """Let clients send one text after another, each as soon as the last one is answered.

    port (int): The port of the service.
    texts (Sequence[str]): The texts. Every client starts with a different one.
    clients (int): Number of clients, each with one connection.
    seconds (float): Time during which they start new requests.
    RETURNS (Responses): The responses.
    """
    responses = Responses()
    started = time.perf_counter()
    step = max(1, len(texts) // clients)
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            share = islice(cycle(texts), number * step, None)
            group.create_task(_client(port, share, started + seconds, responses))
    responses.elapsed = time.perf_counter() - started
    return responses


async def _client(port: int, texts: Iterator[str], end: float, responses: Responses) -> None:
    try:
        await _send_all(port, texts, end, responses)
    except (OSError, EOFError):
        responses.statuses[0] += 1


async def _send_all(port: int, texts: Iterator[str], end: float, responses: Responses) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for text in texts:
        started = time.perf_counter()
        if started >= end:
            break
        writer.write(_request(text))
        status, body = await _read_response(reader)
        responses.statuses[status] += 1
        if status == 200:
            responses.seconds.append(time.perf_counter() - started)
            responses.bodies[text].add(body)
        elif status == 429:
            await asyncio.sleep(RETRY_SECONDS)
    writer.close()
    await writer.wait_closed()


def _request(text: str) -> bytes:
    body = json.dumps({"text": text}).encode()
    head = (
        f"POST /v1/annotate HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a response that has a content length. Returns its status and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: (\d+)", head, re.IGNORECASE)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)
