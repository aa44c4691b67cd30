"""Many clients at once, to see what a service bears. They share the machine with it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

from ..errors import InputError

HOST = "127.0.0.1"
STOP_SECONDS = 60
RETRY_SECONDS = 1.0  # after an answer that there is no room


@dataclass
class Seen:
    """What the clients saw."""

    elapsed: float = 0.0  # seconds until the last answer
    statuses: Counter[int] = field(default_factory=Counter)  # 0 where the line broke
    seconds: list[float] = field(default_factory=list)  # of every answer with 200
    bodies: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))


@contextmanager
def service(pipeline: str, *options: str) -> Iterator[int]:
    """Start the service as a process of its own, on a port that is free.

    pipeline (str): The pipeline.
    options (str): More of the command line.
    YIELDS (int): The port.
    RAISES (InputError): If it does not start, or does not end well.
    """
    command = [sys.executable, "-m", "scripts.serve", pipeline, "--port", "0", *options]
    environment = {k: v for k, v in os.environ.items() if k != "EN_BERT_NER_TOKEN"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not (found := re.search(r":(\d+)/docs$", line.strip())):
            raise InputError(f"the service did not start: {' '.join(command[1:])}")
        yield int(found[1])
    finally:
        with process:  # closes what it writes to
            process.terminate()
            ended = process.wait(STOP_SECONDS)
    if ended:
        raise InputError(f"the service ended with exit code {ended}.")


async def drive(port: int, texts: Sequence[str], *, clients: int, seconds: float) -> Seen:
    """Let clients send texts, each one text at a time, as fast as they are answered.

    port (int): Where the service is.
    texts (Sequence[str]): The texts. Every client begins at another.
    clients (int): How many there are, each with a connection that it keeps.
    seconds (float): How long they begin new requests.
    RETURNS (Seen): What they saw.
    """
    seen = Seen()
    began = time.perf_counter()
    step = max(1, len(texts) // clients)
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            given = islice(cycle(texts), number * step, None)
            group.create_task(_client(port, given, began + seconds, seen))
    seen.elapsed = time.perf_counter() - began
    return seen


async def _client(port: int, texts: Iterator[str], end: float, seen: Seen) -> None:
    try:
        await _send_all(port, texts, end, seen)
    except (OSError, EOFError):
        seen.statuses[0] += 1


async def _send_all(port: int, texts: Iterator[str], end: float, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for text in texts:
        started = time.perf_counter()
        if started >= end:
            break
        writer.write(_request(text))
        status, body = await _response(reader)
        seen.statuses[status] += 1
        if status == 200:
            seen.seconds.append(time.perf_counter() - started)
            seen.bodies[text].add(body)
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


async def _response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a response whose head says how long it is, as the service's does."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: (\d+)", head, re.IGNORECASE)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)
