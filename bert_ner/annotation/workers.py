"""A batch of records to what is written of it, here or in processes of their own."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from threading import Thread

from spacy.language import Language

from ..devices import use_device
from ..errors import InputError
from .annotator import Annotation, Extract, annotate, explain, load, to_annotation
from .inputs import Failure, Record
from .outputs import FORMATS, FormatName, to_json
from .wordpieces import with_pieces

Batch = list[Record | Failure]  # with what could not be read
Done = list[str | Failure]  # what is to be written of each
OURS = ("text", "tokens", "spans", "pieces", "error", "failed")
AHEAD = 2  # batches that wait for each worker


@dataclass(frozen=True)
class Settings:
    """How records are annotated."""

    pipeline: str = "en_bert_ner"
    format: FormatName = "jsonl"
    min_confidence: float = 0.0
    by_word_piece: bool = False
    gpu: int = -1  # its number, -1 for the CPU


def load_for(settings: Settings) -> tuple[Language, Extract]:
    """Load the pipeline, and what is made of its documents.

    RAISES (InputError): If that cannot be.
    """
    use_device(settings.gpu)
    nlp = load(settings.pipeline, min_confidence=settings.min_confidence)
    return nlp, with_pieces(nlp) if settings.by_word_piece else to_annotation


def make_worker(settings: Settings) -> Callable[[Batch], Done]:
    """Load the pipeline, and return what annotates a batch with it.

    RAISES (InputError): If that cannot be.
    """
    nlp, extract = load_for(settings)
    render = FORMATS[settings.format].render

    def work(batch: Batch) -> Done:
        texts = [record.text for record in batch if isinstance(record, Record)]
        found = iter(annotate(nlp, texts, extract))
        return [r if isinstance(r, Failure) else _written(r, next(found), render) for r in batch]

    return work


def _written(
    record: Record, found: Annotation | Exception, render: Callable[[Annotation], str]
) -> str | Failure:
    fields = {given_name(key): value for key, value in record.fields.items()}
    if isinstance(found, Exception):
        return Failure(
            record.where, explain(found), to_json({**record.fields, "text": record.text})
        )
    return render({**fields, **found})


def given_name(key: str) -> str:
    """What a field of the input is called in the output, where its name may be one of ours."""
    return f"given_{key}" if key in OURS else key


def work_through(batches: Iterable[Batch], settings: Settings, workers: int) -> Generator[Done]:
    """Annotate batches, and give them back in order.

    batches (Iterable[Batch]): The batches, of which no more than a few are held.
    settings (Settings): How.
    workers (int): With 1 they are annotated in this process, with more in processes
        that share the cores.
    YIELDS (Done): What is to be written.
    RAISES (InputError): If the pipeline cannot be loaded, or a worker is killed.
    """
    if workers == 1:
        yield from map(make_worker(settings), batches)
        return
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (settings, threads)) as pool:
        waiting: deque[Future[Done]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_work, batch))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise InputError(
                "a worker ended before its work did, perhaps for lack of memory. "
                "The same command, without --restart, goes on; --workers says how many there are."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


_worker: Callable[[Batch], Done] | InputError


def _start(settings: Settings, threads: int) -> None:
    """Load the pipeline in a new process."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is told, and ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    try:
        _worker = make_worker(settings)
    except InputError as error:
        _worker = error


def _end_with_parent() -> None:
    """End this process when the first one is killed, which cannot say so."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _work(batch: Batch) -> Done:
    if isinstance(_worker, InputError):
        raise _worker
    return _worker(batch)
