"""What an epoch of training takes: ours through spaCy, and the plain loop."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import spacy
import torch
from spacy.tokens import Span
from spacy.training.initialize import init_nlp
from spacy.util import registry, resolve_dot_names
from thinc.api import Config
from torch import Tensor, nn

from ..devices import computes_bfloat16, use_device
from ..loading import load_examples
from ..training.encoders import resolve
from ..training.recipe import fit_encoder, fit_machine, read_recipe
from ..training.records import Overrides

PIECES = 800  # word pieces of a batch of the plain loop, as in the recipes
BUFFER = 256  # sentences that it sorts together
Train = Callable[[int], int]  # from words to learn from, at least, to how many those were


@dataclass(frozen=True)
class Settings:
    """What is trained on.

    data (str): The folder of the converted corpus.
    encoder (str): The encoder, as `resolve` takes it.
    config (str): Our recipe.
    half (bool): Whether the plain loop computes in bfloat16, as ours does in half precision
        on a GPU and where the processor has it.
    gpu (int): The GPU's number, -1 for the CPU.
    """

    data: str
    encoder: str = "pip"
    config: str = "configs/config.cfg"
    half: bool = True
    gpu: int = -1


def ours(settings: Settings) -> Train:
    """Train our recipe, as `spacy train` makes them."""
    use_device(settings.gpu)
    train = str(Path(settings.data) / "train.spacy")
    paths: Overrides = {"paths.train": train, "paths.dev": train}
    config = read_recipe(Path(settings.config)).interpolate(paths)
    overrides = {
        **fit_encoder(config, resolve(settings.encoder, gpu=settings.gpu >= 0)),
        **fit_machine(config, settings.gpu),
    }
    nlp = init_nlp(Config().from_str(config.to_str(), overrides=overrides), use_gpu=settings.gpu)
    training = registry.resolve(nlp.config.interpolate()["training"], validate=False)
    (corpus,) = resolve_dot_names(nlp.config.interpolate(), [training["train_corpus"]])
    optimizer = training["optimizer"]
    batches = itertools.chain.from_iterable(training["batcher"](corpus(nlp)) for _ in iter(int, 1))

    def run(words: int) -> int:
        done = 0
        while done < words:
            batch = next(batches)
            nlp.update(batch, drop=training["dropout"], sgd=False, losses={})
            for _, pipe in nlp.pipeline:
                if hasattr(pipe, "finish_update"):
                    pipe.finish_update(optimizer)
            optimizer.step_schedules()
            done += sum(map(len, batch))
        return done

    return run


class Loop:
    """The plain loop: sentences sorted by length, PyTorch's AdamW, cross entropy."""

    def __init__(self, settings: Settings) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.device = use_device(settings.gpu)
        folder = resolve(settings.encoder, gpu=settings.gpu >= 0).path
        self.half = settings.half and (settings.gpu >= 0 or computes_bfloat16())
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.encoder = AutoModel.from_pretrained(folder).train().to(self.device)
        self.sentences = list(_sentences(Path(settings.data)))
        self.tags = {t: i for i, t in enumerate(sorted({t for _, s in self.sentences for t in s}))}
        self.head = nn.Linear(self.encoder.config.hidden_size, len(self.tags)).to(self.device)
        weights = [*self.encoder.parameters(), *self.head.parameters()]
        self.adam = torch.optim.AdamW(weights, lr=2e-4, fused=True)
        self.batches = itertools.chain.from_iterable(self._batches() for _ in iter(int, 1))

    def _batches(self) -> Iterator[list[tuple[list[str], list[str]]]]:
        stream = iter(self.sentences)
        while chunk := list(itertools.islice(stream, BUFFER)):
            encoded = self.tokenizer([words for words, _ in chunk], is_split_into_words=True)
            sizes = [len(ids) for ids in encoded["input_ids"]]
            batch: list[tuple[list[str], list[str]]] = []
            for i in sorted(range(len(chunk)), key=sizes.__getitem__):
                if batch and (len(batch) + 1) * sizes[i] > PIECES:
                    yield batch
                    batch = []
                batch.append(chunk[i])
            yield batch

    def __call__(self, words: int) -> int:
        """Make steps until their batches have so many words; returns how many those were."""
        done = 0
        while done < words:
            batch = next(self.batches)
            self._step(batch)
            done += sum(len(sentence) for sentence, _ in batch)
        return done

    def _step(self, batch: list[tuple[list[str], list[str]]]) -> None:
        encoded = self.tokenizer(
            [words for words, _ in batch],
            is_split_into_words=True,
            padding=True,
            truncation=True,
            max_length=512,
            return_tensors="pt",
        )
        gold = torch.full(encoded["input_ids"].shape, -100)
        for row, (_, tags) in enumerate(batch):
            for column, word in enumerate(encoded.word_ids(row)):
                if word is not None:
                    gold[row, column] = self.tags[tags[word]]
        gold = gold.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            hidden = self.encoder(**encoded.to(self.device)).last_hidden_state
            scores: Tensor = self.head(hidden)
            loss = nn.functional.cross_entropy(scores.flatten(0, 1).float(), gold.flatten())
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.encoder.parameters(), 1.0)
        self.adam.step()
        self.adam.zero_grad()


def _sentences(data: Path) -> Iterator[tuple[list[str], list[str]]]:
    for example in load_examples(spacy.blank("en"), data / "train.spacy"):
        for sentence in example.reference.sents:
            yield [token.text for token in sentence], _tags(sentence)


def _tags(sentence: Span) -> list[str]:
    return [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in sentence]


SYSTEMS: dict[str, tuple[Callable[[Settings], Train], bool]] = {
    "ours": (ours, True),
    "loop": (Loop, True),
    "loop in float32": (Loop, False),
}


def count_words(data: Path) -> int:
    """The words of a train split."""
    return sum(len(e.reference) for e in load_examples(spacy.blank("en"), data / "train.spacy"))
