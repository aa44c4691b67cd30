"""Systems that find entities in texts, all with the same encoder.

Only ours have trained heads, because training does not change the time that a head takes.
On a GPU, all systems use half precision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from spacy import util
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..devices import use_device
from ..loading import load_pipeline

LABELS = ("LOC", "MISC", "ORG", "PER")
TAGS = 2 * len(LABELS) + 1  # IOB2
CPU_BATCH, GPU_BATCH = 2048, 32768  # word pieces per batch of the plain loop, with padding
WINDOW = 128  # word pieces per window of the plain loop
STRIDE = 32  # word pieces by which the windows of the Hugging Face pipeline overlap
STRIDED_SPANS = {
    "@span_getters": "spacy-transformers.strided_spans.v1",
    "window": 128,
    "stride": 96,
}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
    "upstream": "*",
}

Run = Callable[[list[str]], int]  # returns the number of mentions or tags in the texts


@dataclass(frozen=True)
class InferenceSettings:
    """The models to compare, and the device.

    pipeline (str): Folder of our calibrated pipeline.
    int8 (str): Folder of its int8 variant; empty on a GPU.
    encoder (str): Folder of the encoder that the pipeline was fine-tuned from.
    config (str): Recipe that the pipeline of stock spaCy starts from.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    pipeline: str
    int8: str
    encoder: str
    config: str = "configs/transition.cfg"
    gpu: int = -1


def ours(settings: InferenceSettings) -> Run:
    """Load our pipeline, which runs through `nlp.pipe`."""
    return _through_pipe(load_ours(settings.pipeline, settings.gpu))


def load_ours(pipeline: str, gpu: int) -> Language:
    """Load a pipeline on a device; on a GPU, in half precision."""
    use_device(gpu)
    half = {"components.transformer.model.mixed_precision": True} if gpu >= 0 else {}
    return load_pipeline(pipeline, half)


def ours_int8(settings: InferenceSettings) -> Run:
    """Load the int8 variant, which runs on CPUs only."""
    return _through_pipe(load_pipeline(settings.int8))


def _through_pipe(nlp: Language) -> Run:
    return lambda texts: sum(len(doc.ents) for doc in nlp.pipe(texts))


def stock(settings: InferenceSettings) -> Run:
    """Create the pipeline of `spacy init config --gpu`: strided spans and transition-based NER."""
    use_device(settings.gpu)
    config = util.load_config(settings.config)
    config["training"], config["corpora"] = {}, {}
    config["components"]["transformer"]["model"] |= {
        "name": settings.encoder,
        "get_spans": STRIDED_SPANS,
        "mixed_precision": settings.gpu >= 0,
    }
    config["components"]["transformer"]["max_batch_items"] = 4096
    config["components"]["ner"]["model"]["tok2vec"] = LISTENER
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


def hf_pipeline(settings: InferenceSettings, batch_size: int) -> Run:
    """Create Hugging Face's pipeline with overlapping windows, so that it reads whole texts."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer, logging, pipeline

    logging.set_verbosity_error()  # about the untrained head
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
    """The plain loop: tokenize, sort by length, encode, take the best tag of each word piece.

    A system that is as fast as this loop is close to the limit of the encoder.
    """

    def __init__(self, settings: InferenceSettings) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.device = use_device(settings.gpu)
        self.batch_size = CPU_BATCH if settings.gpu < 0 else GPU_BATCH
        self.tokenizer = AutoTokenizer.from_pretrained(settings.encoder)
        encoder = AutoModel.from_pretrained(settings.encoder).eval()
        head = torch.nn.Linear(encoder.config.hidden_size, TAGS)
        self.encoder = _to_device(encoder, self.device)
        self.head = _to_device(head, self.device)

    def __call__(self, texts: list[str]) -> int:
        """Tag every word piece, and return their number."""
        windows: list[list[int]] = self.tokenizer(
            texts, truncation=True, max_length=WINDOW, return_overflowing_tokens=True
        )["input_ids"]
        windows.sort(key=len)
        tagged = 0
        batch: list[list[int]] = []
        with torch.no_grad():
            for window in windows:
                if batch and (len(batch) + 1) * len(window) > self.batch_size:
                    tagged += self._tag(batch)
                    batch = []
                batch.append(window)
            return tagged + self._tag(batch)

    def _tag(self, batch: list[list[int]]) -> int:
        longest = len(batch[-1])
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([window + [pad] * (longest - len(window)) for window in batch])
        mask = torch.tensor([[1] * len(w) + [0] * (longest - len(w)) for w in batch])
        ids, mask = ids.to(self.device), mask.to(self.device)
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        self.head(hidden).argmax(-1).tolist()
        return sum(map(len, batch))


SYSTEMS: dict[str, Callable[[InferenceSettings], Run]] = {
    "ours": ours,
    "ours-int8": ours_int8,
    "stock": stock,
    "hf-pipeline-32": partial(hf_pipeline, batch_size=32),
    "hf-pipeline-1": partial(hf_pipeline, batch_size=1),
    "loop": Loop,
}
FOR_CPU = {"ours-int8"}
ABOUT = {
    "ours": "the packaged pipeline, with `nlp.pipe`",
    "ours-int8": "its int8 variant, from `python -m scripts.quantize`",
    "stock": "a pipeline of spaCy and spacy-transformers: strided spans, transition-based `ner`",
    "hf-pipeline-32": "Hugging Face's token-classification pipeline, batches of 32",
    "hf-pipeline-1": "the same, one text at a time",
    "loop": "PyTorch only: tokenize, sort by length, encode, take the best tag",
}
