"""What is compared: ways to find entities in texts with one and the same encoder.

All but ours have heads that were never trained: what a head has learned does not
change how long it takes. On a GPU all compute in half precision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from spacy import util
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..devices import use_device
from ..loading import load_pipeline

LABELS = ("LOC", "MISC", "ORG", "PER")
TAGS = 2 * len(LABELS) + 1  # IOB2
TOGETHER, ON_GPU = 2048, 32768  # word pieces of a batch of the plain loop, padding included
WINDOW = 128  # word pieces of a window of the plain loop
STRIDE = 32  # word pieces by which the windows of the Hugging Face pipeline overlap

Run = Callable[[list[str]], int]  # from texts to how many mentions or tags were found


@dataclass(frozen=True)
class Settings:
    """What the systems are made from.

    pipeline (str): Our finished pipeline.
    int8 (str): The same after `bert_ner.packaging.quantize`.
    encoder (str): The folder of the encoder that it was fine-tuned from.
    config (str): The recipe that stock spaCy's pipeline is made like.
    gpu (int): The GPU's number, -1 for the CPU.
    """

    pipeline: str
    int8: str
    encoder: str
    config: str = "configs/transition.cfg"
    gpu: int = -1


def ours(settings: Settings) -> Run:
    """The packaged pipeline, through `nlp.pipe`."""
    return _through_pipe(load_ours(settings.pipeline, settings.gpu))


def load_ours(pipeline: str, gpu: int) -> Language:
    """Load a pipeline onto a device; on a GPU, in half precision."""
    use_device(gpu)
    half = {"components.transformer.model.mixed_precision": True} if gpu >= 0 else {}
    return load_pipeline(pipeline, half)


def ours_int8(settings: Settings) -> Run:
    """The variant, which is for CPUs only."""
    return _through_pipe(load_pipeline(settings.int8))


def _through_pipe(nlp: Language) -> Run:
    return lambda texts: sum(len(doc.ents) for doc in nlp.pipe(texts))


def stock(settings: Settings) -> Run:
    """What `spacy init config --gpu` gives: strided spans and the transition-based parser."""
    use_device(settings.gpu)
    config = util.load_config(settings.config)
    config["training"], config["corpora"] = {}, {}
    transformer = config["components"]["transformer"]
    transformer["model"]["name"] = settings.encoder
    transformer["model"]["get_spans"] = {
        "@span_getters": "spacy-transformers.strided_spans.v1",
        "window": 128,
        "stride": 96,
    }
    transformer["model"]["mixed_precision"] = settings.gpu >= 0
    transformer["max_batch_items"] = 4096
    listener = {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": {"@layers": "reduce_mean.v1"},
        "upstream": "*",
    }
    config["components"]["ner"]["model"]["tok2vec"] = listener
    config["components"]["ner"]["scorer"] = {"@scorers": "spacy.ner_scorer.v1"}
    config["nlp"]["batch_size"] = 128
    nlp = util.load_model_from_config(config, auto_fill=True)
    nlp.initialize(lambda: list(_labelled(nlp)))
    return _through_pipe(nlp)


def _labelled(nlp: Language) -> Iterator[Example]:
    for label in LABELS:
        gold = Doc(nlp.vocab, words=["Oslo", "shines"])
        gold.ents = [Span(gold, 0, 1, label)]
        yield Example(nlp.make_doc(gold.text), gold)


def hf_pipeline(settings: Settings, batch_size: int) -> Run:
    """Hugging Face's own pipeline, over all of a text, however long."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer, logging, pipeline

    logging.set_verbosity_error()  # that the head was never trained
    model = AutoModelForTokenClassification.from_pretrained(settings.encoder, num_labels=TAGS)
    tokenizer = AutoTokenizer.from_pretrained(settings.encoder, model_max_length=512)
    device = use_device(settings.gpu)
    run = pipeline(
        "token-classification",
        model=_to_device(model, device).eval(),
        tokenizer=tokenizer,
        aggregation_strategy="simple",
        stride=STRIDE,
        device=device,
    )
    return lambda texts: sum(map(len, run(texts, batch_size=batch_size)))


def _to_device(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    return model.to(device) if device.type == "cpu" else model.half().to(device)


class Loop:
    """The plain loop: tokenise, sort by length, run, take the best tag of each word piece.

    What is as fast as this is near the limit of the encoder.
    """

    def __init__(self, settings: Settings) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.device = use_device(settings.gpu)
        self.together = TOGETHER if settings.gpu < 0 else ON_GPU
        self.tokenizer = AutoTokenizer.from_pretrained(settings.encoder)
        encoder = AutoModel.from_pretrained(settings.encoder).eval()
        head = torch.nn.Linear(encoder.config.hidden_size, TAGS)
        self.encoder = _to_device(encoder, self.device)
        self.head = _to_device(head, self.device)

    def __call__(self, texts: list[str]) -> int:
        """Give every word piece a tag; returns how many there are."""
        windows: list[Any] = self.tokenizer(
            texts, truncation=True, max_length=WINDOW, return_overflowing_tokens=True
        )["input_ids"]
        windows.sort(key=len)
        found = 0
        batch: list[list[int]] = []
        with torch.no_grad():
            for window in windows:
                if batch and (len(batch) + 1) * len(window) > self.together:
                    found += self._tag(batch)
                    batch = []
                batch.append(window)
            return found + self._tag(batch)

    def _tag(self, batch: list[list[int]]) -> int:
        longest = len(batch[-1])
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([window + [pad] * (longest - len(window)) for window in batch])
        mask = torch.tensor([[1] * len(w) + [0] * (longest - len(w)) for w in batch])
        ids, mask = ids.to(self.device), mask.to(self.device)
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        self.head(hidden).argmax(-1).tolist()
        return sum(map(len, batch))


SYSTEMS: dict[str, Callable[[Settings], Run]] = {
    "ours": ours,
    "ours-int8": ours_int8,
    "stock": stock,
    "hf-pipeline-32": partial(hf_pipeline, batch_size=32),
    "hf-pipeline-1": partial(hf_pipeline, batch_size=1),
    "loop": Loop,
}
FOR_CPU = {"ours-int8"}
ABOUT = {
    "ours": "the packaged pipeline, through `nlp.pipe`",
    "ours-int8": "the same after `python -m scripts.optimize`",
    "stock": "spaCy's and spacy-transformers' own: strided spans, transition-based `ner`",
    "hf-pipeline-32": "Hugging Face's token-classification pipeline, batches of 32",
    "hf-pipeline-1": "the same, one text at a time",
    "loop": "PyTorch alone: tokenise, sort by length, encode, take the best tag",
}
