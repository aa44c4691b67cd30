"""Systems to train: our recipe with spaCy, and the plain loop."""

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

BATCH_PIECES = 800  # word pieces per batch of the plain loop, as in the recipes
BUFFER = 256  # sentences that are sorted by length together
Batch = list[tuple[list[str], list[str]]]  # words and IOB2 tags of sentences
Train = Callable[[int], int]  # trains on at least so many words, and returns their number


@dataclass(frozen=True)
class TrainingSettings:
    """The data, the encoder and the device.

    data (str): Folder of the converted corpus.
    encoder (str): The encoder, an argument for `resolve`.
    config (str): Our recipe.
    half (bool): Whether the plain loop uses bfloat16 on a GPU, and on a CPU that has
        instructions for it. Our recipe does the same with half precision.
    gpu (int): Number of the GPU, -1 for the CPU.
    """

    data: str
    encoder: str = "pip"
    config: str = "configs/config.cfg"
    half: bool = True
    gpu: int = -1


def ours(settings: TrainingSettings) -> Train:
    """Create the training of our recipe, in the steps of `spacy train`."""
    use_device(settings.gpu)
    nlp = init_nlp(_config(settings), use_gpu=settings.gpu)
    config = nlp.config.interpolate()
    training = registry.resolve(config["training"], validate=False)
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
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


def _config(settings: TrainingSettings) -> Config:
    """The recipe, fitted to the data, the encoder and the device."""
    train = str(Path(settings.data) / "train.spacy")
    paths: Overrides = {"paths.train": train, "paths.dev": train}
    recipe = read_recipe(Path(settings.config))
    config = recipe.interpolate(paths)
    encoder = resolve(settings.encoder, gpu=settings.gpu >= 0)
    return recipe.interpolate(
        {**paths, **fit_encoder(config, encoder), **fit_machine(config, settings.gpu)}
    )


class Loop:
    """The plain loop: sentences sorted by length, PyTorch's AdamW, cross entropy."""

    def __init__(self, settings: TrainingSettings) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.device = use_device(settings.gpu)
        folder = resolve(settings.encoder, gpu=settings.gpu >= 0).path
        self.half = settings.half and (settings.gpu >= 0 or computes_bfloat16())
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.encoder = AutoModel.from_pretrained(folder).train().to(self.device)
        self.sentences = list(_sentences(Path(settings.data)))
        tags = sorted({tag for _, tags in self.sentences for tag in tags})
        self.tags = {tag: i for i, tag in enumerate(tags)}
        self.head = nn.Linear(self.encoder.config.hidden_size, len(self.tags)).to(self.device)
        weights = [*self.encoder.parameters(), *self.head.parameters()]
        self.adam = torch.optim.AdamW(weights, lr=2e-4, fused=True)
        self.batches = itertools.chain.from_iterable(self._batches() for _ in iter(int, 1))

    def _batches(self) -> Iterator[Batch]:
        stream = iter(self.sentences)
        while chunk := list(itertools.islice(stream, BUFFER)):
            encoded = self.tokenizer([words for words, _ in chunk], is_split_into_words=True)
            sizes = [len(ids) for ids in encoded["input_ids"]]
            batch: Batch = []
            for i in sorted(range(len(chunk)), key=sizes.__getitem__):
                if batch and (len(batch) + 1) * sizes[i] > BATCH_PIECES:
                    yield batch
                    batch = []
                batch.append(chunk[i])
            yield batch

    def __call__(self, words: int) -> int:
        """Train on batches with at least `words` words together, and return their number."""
        done = 0
        while done < words:
            batch = next(self.batches)
            self._step(batch)
            done += sum(len(sentence) for sentence, _ in batch)
        return done

    def _step(self, batch: Batch) -> None:
        encoded = self.tokenizer(
            [words for words, _ in batch],
            is_split_into_words=True,
            padding=True,
            truncation=True,
            max_length=512,
            return_tensors="pt",
        )
        gold = torch.full(encoded["input_ids"].shape, -100)  # ignored by the loss
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


SYSTEMS: dict[str, tuple[Callable[[TrainingSettings], Train], bool]] = {
    "ours": (ours, True),
    "loop": (Loop, True),
    "loop in float32": (Loop, False),
}


def count_words(data: Path) -> int:
    """Count the words of a train split."""
    return sum(len(e.reference) for e in load_examples(spacy.blank("en"), data / "train.spacy"))
