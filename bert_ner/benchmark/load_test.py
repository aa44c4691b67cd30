"""The load test: the service with many clients, with and without batches."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy

from ..annotation.annotator import annotate, load
from ..annotation.records import Annotation
from ..devices import describe_machine
from ..evaluation.examples import parse
from ..files import write_json
from ..loading import describe_pipeline
from .clients import Responses, drive, service
from .records import LoadRecord, LoadRun, Target
from .targets import at_least, at_most
from .texts import read_sentences

ANSWERED = 0.9  # of all requests
SCORES = 1e-4  # largest difference of a score from offline
RATIO = 2.0  # requests per second with batches, as a multiple of those without
TEXTS = 500
WARM_UP_SECONDS = 2.0
ROUNDING = 1e-9  # of scores, which have as few digits as `SCORES`
DIGITS = 5  # of figures in the record
CPU = ("--gpu-id", "-1")
MODES = {"batches": CPU, "one by one": (*CPU, "--max-batch", "1")}


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """Options of the load test.

    pipeline (str): An installed pipeline or a folder.
    texts (Path): A converted split, or a file of marked-up sentences, one per line.
    clients (int): Number of clients.
    seconds (float): Duration of each of the two runs.
    """

    pipeline: str
    texts: Path = Path("docs/examples.txt")
    clients: int = 64
    seconds: float = 60.0


def run_load_test(command: Sequence[str], options: LoadOptions, output: Path) -> LoadRecord:
    """Run the service with and without batches under load, and write a record.

    command (Sequence[str]): The program that serves a pipeline; the pipeline and options of
        `scripts.serve` are added.
    options (LoadOptions): The options.
    output (Path): JSON file to write.
    RETURNS (LoadRecord): The record.
    RAISES (InputError): If the pipeline cannot be loaded or the service does not start.
    """
    nlp = load(options.pipeline)
    texts = read_texts(options.texts)
    results = zip(texts, annotate(nlp, texts), strict=True)
    offline = {text: result for text, result in results if not isinstance(result, Exception)}
    responses = {
        name: measure([*command, options.pipeline, *extra], list(offline), options)
        for name, extra in MODES.items()
    }
    runs = {name: summarize(one) for name, one in responses.items()}
    differences = [compare(one, offline) for one in responses.values()]
    changed = sum(count for count, _ in differences)
    largest = max(score for _, score in differences)
    record: LoadRecord = {
        **describe_pipeline(nlp),
        "machine": describe_machine(-1),
        "date": date.today().isoformat(),
        "texts": {"from": options.texts.name, "count": len(offline)},
        "clients": options.clients,
        "seconds": options.seconds,
        "runs": runs,
        "bars": judge(runs, changed, largest),
    }
    write_json(output, record)
    return record


def read_texts(path: Path) -> list[str]:
    """Read the first sentences of a converted split, or of a file of marked-up sentences."""
    if path.suffix == ".spacy":
        return read_sentences(path)[:TEXTS]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [parse(line)[0] for line in lines if line][:TEXTS]


def measure(command: Sequence[str], texts: list[str], options: LoadOptions) -> Responses:
    """Start the service, let clients warm it up, and drive it.

    command (Sequence[str]): The program and its arguments.
    texts (list[str]): The texts.
    options (LoadOptions): Number of clients and seconds.
    RETURNS (Responses): The responses after the warm-up.
    """
    clients, seconds = options.clients, options.seconds
    with service(command) as port:
        warm_up = min(WARM_UP_SECONDS, seconds)
        asyncio.run(drive(port, texts, clients=clients, seconds=warm_up))
        return asyncio.run(drive(port, texts, clients=clients, seconds=seconds))


def summarize(responses: Responses) -> LoadRun:
    """Compute requests per second and latencies, and count the statuses."""
    points = [float(p) for p in numpy.percentile(responses.seconds or [0.0], [50, 95, 99])]
    return {
        "requests_per_second": round(len(responses.seconds) / responses.elapsed, 1),
        "latency_ms": {
            name: round(1000 * p, 1) for name, p in zip(("p50", "p95", "p99"), points, strict=True)
        },
        "statuses": {str(status): n for status, n in sorted(responses.statuses.items())},
    }


def compare(responses: Responses, offline: Mapping[str, Annotation]) -> tuple[int, float]:
    """Compare the responses with annotations made without the service.

    responses (Responses): The responses.
    offline (Mapping[str, Annotation]): The annotations by text.
    RETURNS (tuple[int, float]): The number of texts with different entities in a response,
        and the largest difference of scores among equal entities.
    """
    changed, largest = 0, 0.0
    for text, bodies in responses.bodies.items():
        expected = offline[text]["spans"]
        for body in bodies:
            spans = json.loads(body)["spans"]
            if [_without_score(span) for span in spans] != [_without_score(s) for s in expected]:
                changed += 1
                break
            pairs = zip(spans, expected, strict=True)
            differences = [abs(a.get("score", 0) - b.get("score", 0)) for a, b in pairs]
            largest = max([largest, *differences])
    return changed, largest


def _without_score(span: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted((key, value) for key, value in span.items() if key != "score")


def judge(runs: Mapping[str, LoadRun], changed: int, largest: float) -> list[Target]:
    """Compare the measurements with the targets.

    runs (Mapping[str, LoadRun]): The runs by the names in `MODES`.
    changed (int): Number of texts with different entities.
    largest (float): Largest difference of a score.
    RETURNS (list[Target]): The targets.
    """
    targets = []
    for name, run in runs.items():
        statuses = run["statuses"]
        share = statuses.get("200", 0) / max(1, sum(statuses.values()))
        errors = sum(n for status, n in statuses.items() if status not in ("200", "429"))
        targets += [
            at_least(f"{name}: answered with 200", share, ANSWERED, digits=DIGITS),
            at_most(f"{name}: neither 200 nor 429", errors, 0, digits=DIGITS),
        ]
    fast, slow = (runs[name]["requests_per_second"] for name in MODES)
    ratio = fast / slow if slow else 0.0
    scores = at_most("scores: furthest from offline", largest, SCORES, digits=DIGITS)
    scores["met"] = largest <= SCORES + ROUNDING
    return [
        *targets,
        at_most("texts with other spans than offline", changed, 0, digits=DIGITS),
        scores,
        at_least("requests a second: batches / one by one", ratio, RATIO, digits=DIGITS),
    ]
