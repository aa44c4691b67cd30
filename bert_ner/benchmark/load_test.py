"""Drive the service with many clients, with and without batches, and say if a bar is missed."""

import asyncio
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy
import typer

from ..annotation.annotator import annotate, load
from ..annotation.records import Annotation
from ..devices import describe_machine
from ..errors import InputError
from ..evaluation.examples import parse
from ..files import write_json
from ..loading import describe_pipeline
from .clients import Seen, drive, service
from .texts import read_sentences

ANSWERED = 0.9  # of all requests
SCORES = 1e-4  # how far a score may be from that offline
RATIO = 2.0  # of the requests a second with batches to those without
TEXTS = 500
WARM_SECONDS = 2.0
CPU = ("--gpu-id", "-1")
MODES = {"batches": CPU, "one by one": (*CPU, "--max-batch", "1")}


def read_texts(path: Path) -> list[str]:
    """Read the first sentences of a converted split, or the lines of a file of examples."""
    if path.suffix == ".spacy":
        return read_sentences(path)[:TEXTS]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [parse(line)[0] for line in lines if line][:TEXTS]


def measure(
    pipeline: str, texts: list[str], *, clients: int, seconds: float, options: Iterable[str] = ()
) -> Seen:
    """Start the service, let clients warm it, and then drive it.

    RETURNS (Seen): What the clients saw after the service was warm.
    """
    with service(pipeline, *options) as port:
        asyncio.run(drive(port, texts, clients=clients, seconds=min(WARM_SECONDS, seconds)))
        return asyncio.run(drive(port, texts, clients=clients, seconds=seconds))


def summarise(seen: Seen) -> dict[str, Any]:
    """Requests a second, latencies in milliseconds, and how many had each status."""
    points = [float(p) for p in numpy.percentile(seen.seconds or [0.0], [50, 95, 99])]
    return {
        "requests_per_second": round(len(seen.seconds) / seen.elapsed, 1),
        "latency_ms": {
            name: round(1000 * p, 1) for name, p in zip(("p50", "p95", "p99"), points, strict=True)
        },
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
    }


def differences(seen: Seen, offline: dict[str, Annotation]) -> tuple[int, float]:
    """How the answers differ from those without a service.

    RETURNS (tuple[int, float]): How many texts have other spans in some answer, and
        the largest difference of a score among the same spans.
    """
    others, furthest = 0, 0.0
    for text, bodies in seen.bodies.items():
        expected = offline[text]["spans"]
        for body in bodies:
            found = json.loads(body)["spans"]
            if [_bare(span) for span in found] != [_bare(span) for span in expected]:
                others += 1
                break
            pairs = zip(found, expected, strict=True)
            apart = [abs(a.get("score", 0) - b.get("score", 0)) for a, b in pairs]
            furthest = max([furthest, *apart])
    return others, furthest


def _bare(span: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in span.items() if key != "score"}


def judge(runs: dict[str, dict[str, Any]], others: int, furthest: float) -> list[dict[str, Any]]:
    """Compare what was measured with the bars.

    RETURNS (list[dict[str, Any]]): For each bar: what, found, bar, and met.
    """
    bars = []
    for name, run in runs.items():
        counts = run["statuses"]
        share = counts.get("200", 0) / max(1, sum(counts.values()))
        bars.append(_bar(f"{name}: answered with 200", share, ANSWERED, share >= ANSWERED))
        errors = sum(n for status, n in counts.items() if status not in ("200", "429"))
        bars.append(_bar(f"{name}: neither 200 nor 429", errors, 0, errors == 0))
    bars.append(_bar("texts with other spans than offline", others, 0, others == 0))
    # scores are rounded to as many digits: a hair's breadth may be one unit of the last
    near = furthest <= SCORES + 1e-9
    bars.append(_bar("scores: furthest from offline", furthest, SCORES, near))
    fast, slow = (runs[name]["requests_per_second"] for name in MODES)
    ratio = fast / slow if slow else 0.0
    bars.append(_bar("requests a second: batches / one by one", ratio, RATIO, ratio >= RATIO))
    return bars


def _bar(what: str, found: float, bar: float, met: bool) -> dict[str, Any]:
    return {"what": what, "found": round(found, 5), "bar": bar, "met": met}


def main(
    pipeline: Annotated[str, typer.Argument(help="An installed pipeline or a folder.")],
    texts: Annotated[
        Path, typer.Option(help="A converted split, or marked-up sentences, one a line.")
    ] = Path("docs/examples.txt"),
    clients: Annotated[int, typer.Option(min=1, help="How many at once.")] = 64,
    seconds: Annotated[float, typer.Option(min=1, help="For each of the two runs.")] = 60.0,
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("metrics/serve.json"),
) -> None:
    """Drive the service with many clients, and exit with 1 if a bar is missed."""
    given = read_texts(texts)
    nlp = load(pipeline)
    offline = {
        t: a for t, a in zip(given, annotate(nlp, given), strict=True) if isinstance(a, dict)
    }
    given = list(offline)
    found = {
        name: measure(pipeline, given, clients=clients, seconds=seconds, options=options)
        for name, options in MODES.items()
    }
    runs = {name: summarise(seen) for name, seen in found.items()}
    apart = [differences(seen, offline) for seen in found.values()]
    record = {
        **describe_pipeline(nlp),
        "machine": describe_machine(-1),
        "date": date.today().isoformat(),
        "texts": {"from": texts.name, "count": len(given)},
        "clients": clients,
        "seconds": seconds,
        "runs": runs,
        "bars": judge(runs, sum(o for o, _ in apart), max(f for _, f in apart)),
    }
    write_json(output, record)
    for name, run in runs.items():
        print(f"{name}: {run['requests_per_second']} requests a second, {run['latency_ms']} ms")
    print(output)
    if missed := [bar for bar in record["bars"] if not bar["met"]]:
        lines = "; ".join(f"{bar['what']}: {bar['found']}, bar {bar['bar']}" for bar in missed)
        raise InputError(f"missed: {lines}")
