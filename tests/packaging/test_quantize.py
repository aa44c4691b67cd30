"""The int8 variant: as accurate, really quantized, and safe in every process."""

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
import transformers

from bert_ner.errors import InputError
from bert_ner.evaluation.documents import Document
from bert_ner.evaluation.matching import Mention, match
from bert_ner.packaging.quantize import compare, quantize, quantize_pipeline
from bert_ner.packaging.records import QuantizeRecord
from bert_ner.pipes.onnx_encoder import OnnxEncoder
from tests.helpers import write_corpus
from tests.pipes.training import TEXTS, Build, encoder_key, find_entities, shim_of, train

pytest.importorskip("onnxruntime")


Variant = tuple[spacy.Language, Path, QuantizeRecord]


@pytest.fixture(scope="module")
def variant(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Variant:
    """A trained pipeline, the folder of its variant, and the record of their comparison."""
    folder = tmp_path_factory.mktemp("variant")
    nlp = build()
    train(nlp, steps=40)
    nlp.to_disk(folder / "pipeline")
    data = write_corpus(nlp, folder / "data", times=3)
    record = quantize_pipeline(folder / "pipeline", data / "test.spacy", folder / "int8")
    return nlp, folder / "int8", record


def mentions(rows: list[list[tuple[str, str, float]]]) -> list[list[tuple[str, str]]]:
    return [[(text, label) for text, label, _ in row] for row in rows]


def test_it_finds_the_same_with_8_bits(
    variant: Variant,
) -> None:
    nlp, folder, record = variant
    assert record["mentions"] == 12
    assert record["agreement"] == 1.0
    assert record["f1"] == {"before": 1.0, "after": 1.0}
    assert record["confidence_difference"] is not None
    assert 0 < record["confidence_difference"] < 0.2  # it is not the same model
    assert record["agreement_alone"] == 1.0
    fast = spacy.load(folder)
    assert fast.meta["name"] == f"{nlp.meta['name']}_int8"
    assert fast.meta["needs"] == ["onnxruntime>=1.20,<2"]
    assert mentions(find_entities(fast, TEXTS)) == mentions(find_entities(nlp, TEXTS))
    encoder = shim_of(fast)._model
    kinds = {node.op_type for node in onnx_graph(encoder.content).node}
    assert {"MatMulInteger", "QAttention"} <= kinds


def onnx_graph(content: bytes) -> Any:
    import onnx

    return onnx.load_from_string(content).graph


@pytest.mark.parametrize(
    ("kind", "fused"),
    [("Bert", 2), ("Roberta", 2), ("MPNet", 0)],  # MPNet's attention knows distances
)
def test_any_encoder_and_padding_on_any_side(kind: str, fused: int) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=100, intermediate_size=64, max_position_embeddings=40, **sizes
    )
    encoder = getattr(transformers, f"{kind}Model")(config).eval()
    content = quantize(encoder)
    assert [node.op_type for node in onnx_graph(content).node].count("QAttention") == fused
    mask = torch.ones(3, 13)
    mask[0, 9:] = mask[1, :4] = 0
    inputs = {"input_ids": torch.randint(5, 99, mask.shape), "attention_mask": mask}
    if "type_vocab_size" in config.to_dict():
        inputs["token_type_ids"] = torch.zeros(mask.shape, dtype=torch.int64)
    with torch.no_grad():
        wanted = encoder(**inputs).last_hidden_state
    difference = OnnxEncoder(config, content)(**inputs).last_hidden_state - wanted
    assert 0 < difference.abs().max() < 0.002  # of numbers from -3 to 3; 8 bits are not exact


def test_it_survives_saving_and_other_batches(variant: Variant, tmp_path: Path) -> None:
    fast = spacy.load(variant[1])
    wanted = find_entities(fast, TEXTS)
    fast.to_disk(tmp_path / "again")
    assert find_entities(spacy.load(tmp_path / "again"), TEXTS) == wanted
    copy = spacy.load(variant[1])
    copy.from_bytes(fast.to_bytes())
    assert find_entities(copy, TEXTS) == wanted


def test_it_can_be_copied_after_it_has_predicted(
    variant: Variant,
) -> None:
    fast = spacy.load(variant[1])
    wanted = find_entities(fast, TEXTS)
    encoder = shim_of(fast)._model
    shim_of(fast)._model = pickle.loads(pickle.dumps(encoder))
    assert shim_of(fast)._model.session is not encoder.session
    assert find_entities(fast, TEXTS) == wanted


def test_it_says_that_it_cannot_be_trained(
    variant: Variant,
) -> None:
    with pytest.raises(ValueError, match="Train the pipeline that it was made from"):
        train(spacy.load(variant[1]), steps=1)


def test_it_runs_in_a_process_that_was_forked_after_use(
    variant: Variant,
) -> None:
    fast = spacy.load(variant[1])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # PyTorch's own do not survive a fork
    wanted = mentions(find_entities(fast, TEXTS))
    torch.set_num_threads(threads)
    encoder = shim_of(fast)._model
    before = encoder.session
    context = multiprocessing.get_context("fork")
    theirs, ours = context.Pipe()

    def run() -> None:
        torch.set_num_threads(1)
        ours.send((mentions(find_entities(fast, TEXTS)), encoder.session is before))

    process = context.Process(target=run, daemon=True)
    process.start()
    assert theirs.poll(60), "the session of the parent hangs in the child"
    assert theirs.recv() == (wanted, False)
    process.join()


def test_what_cannot_be_quantized_is_named(
    variant: Variant,
    build: Build,
    tmp_path: Path,
) -> None:
    test = variant[1].with_name("data") / "test.spacy"
    with pytest.raises(InputError, match="is quantized already"):
        quantize_pipeline(variant[1], test, tmp_path / "x")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(InputError, match="expected one encoder"):
        quantize_pipeline(tmp_path / "blank", test, tmp_path / "x")
    build(**{encoder_key("lora_rank"): 2}).to_disk(tmp_path / "adapted")
    with pytest.raises(InputError, match="has LoRA adapters"):
        quantize_pipeline(tmp_path / "adapted", test, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_agreement_counts_mentions_of_both() -> None:
    a, b, c = Mention(0, 1, "A"), Mention(2, 3, "B"), Mention(4, 5, "C")

    def two_documents(gold: list[Mention], confidence: dict[Mention, float]) -> list[Document]:
        pairs = tuple(match(gold, confidence))
        return [Document(("x",) * 5, ((0, 5),), pairs, confidence)]

    record = compare(
        two_documents([a, b], {a: 0.9, b: 0.5}), two_documents([a, b], {a: 0.8, c: 0.5})
    )
    assert record["mentions"] == 2
    assert record["agreement"] == 0.5
    assert record["f1"] == {"before": 1.0, "after": 0.5}
    assert record["confidence_difference"] == pytest.approx(0.1)
    silent = [Document(("x",) * 5, ((0, 5),), tuple(match([], [a])))]
    assert compare(silent, silent)["confidence_difference"] is None
