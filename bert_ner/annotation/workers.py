"""Annotates batches of records, in this process or in several that share the cores."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import cast

from spacy.language import Language

from ..devices import use_device
from ..errors import InputError
from .annotator import Extract, annotate, explain, load, to_annotation
from .inputs import Failure, Record
from .options import WorkerOptions
from .outputs import FORMATS, to_json
from .records import Annotation
from .wordpieces import with_wordpieces

Batch = list[Record | Failure]  # failures are records that could not be read
BatchOutput = list[str | Failure]  # for each record its rendered annotation, or the failure
RESERVED = ("text", "tokens", "spans", "pieces", "error", "failed")  # names of output fields
BATCHES_AHEAD = 2  # queued for each worker


def load_pipeline(options: WorkerOptions) -> tuple[Language, Extract]:
    """Load the pipeline on its device.

    options (WorkerOptions): The pipeline and its settings.
    RETURNS (tuple[Language, Callable[[Doc], Annotation]]): The pipeline, and the function
        that converts its documents.
    RAISES (InputError): If the pipeline cannot be loaded or lacks what the options need.
    """
    use_device(options.gpu)
    nlp = load(options.pipeline, min_confidence=options.min_confidence)
    return nlp, with_wordpieces(nlp) if options.by_word_piece else to_annotation


def make_worker(options: WorkerOptions) -> Callable[[Batch], BatchOutput]:
    """Load the pipeline, and make a function that annotates a batch with it.

    options (WorkerOptions): The pipeline and the output format.
    RETURNS (Callable[[Batch], BatchOutput]): The function.
    RAISES (InputError): See `load_pipeline`.
    """
    nlp, extract = load_pipeline(options)
    render = FORMATS[options.format].render

    def work(batch: Batch) -> BatchOutput:
        texts = [record.text for record in batch if isinstance(record, Record)]
        results = iter(annotate(nlp, texts, extract))
        return [r if isinstance(r, Failure) else _render(r, next(results), render) for r in batch]

    return work


def _render(
    record: Record, result: Annotation | Exception, render: Callable[[Annotation], str]
) -> str | Failure:
    if isinstance(result, Exception):
        content = to_json({**record.fields, "text": record.text})
        return Failure(record.where, explain(result), content)
    fields = {output_name(key): value for key, value in record.fields.items()}
    return render(cast(Annotation, {**fields, **result}))


def output_name(field: str) -> str:
    """Name an input field in the output: `given_<name>` if the name is reserved."""
    return f"given_{field}" if field in RESERVED else field


def annotate_batches(
    batches: Iterable[Batch], options: WorkerOptions, workers: int
) -> Generator[BatchOutput]:
    """Annotate batches and return them in order.

    batches (Iterable[Batch]): The batches. Only a few are in memory at once.
    options (WorkerOptions): The pipeline and the output format.
    workers (int): Number of processes. With 1, this process annotates.
    YIELDS (BatchOutput): The output of the next batch.
    RAISES (InputError): If the pipeline cannot be loaded, or a worker is killed.
    """
    if workers == 1:
        yield from map(make_worker(options), batches)
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (options, threads)) as pool:
        queue: deque[Future[BatchOutput]] = deque()
        try:
            for batch in batches:
                queue.append(pool.submit(_work, batch))
                if len(queue) > BATCHES_AHEAD * workers:
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        except BrokenProcessPool as error:
            raise InputError(
                "a worker was killed, perhaps for lack of memory. Run the same command without "
                "--restart to resume, perhaps with fewer --workers."
            ) from error
        finally:
            for future in queue:
                future.cancel()


_worker: Callable[[Batch], BatchOutput] | InputError


def _start_worker(options: WorkerOptions, threads: int) -> None:
    """Load the pipeline in a new process."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles it and ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    try:
        _worker = make_worker(options)
    except InputError as error:
        _worker = error


def _end_with_parent() -> None:
    """End this process when the main process is killed, which can no longer end it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _work(batch: Batch) -> BatchOutput:
    if isinstance(_worker, InputError):
        raise _worker
    return _worker(batch)
