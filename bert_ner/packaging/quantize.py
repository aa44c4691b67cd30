"""An int8 variant of a pipeline, which a CPU runs faster."""

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from spacy.language import Language
from torch import Tensor, nn

from ..errors import InputError
from ..evaluation.documents import Document, pairs_of, read_documents
from ..evaluation.matching import match, score
from ..evaluation.scoring import annotate
from ..files import replacing, write_json
from ..loading import load_examples, load_pipeline
from ..pipes.onnx_encoder import INPUTS, OUTPUT
from .records import Agreement, QuantizeRecord

OPSET = 17  # of ONNX; has every operator of BERT
SUFFIX = "int8"  # of the variant's name


def quantize_pipeline(model: Path, split: Path, output: Path) -> QuantizeRecord:
    """Write the int8 variant of a pipeline and compare the two.

    model (Path): The calibrated pipeline.
    split (Path): The .spacy file to compare on.
    output (Path): The output folder. It appears complete or not at all.
    RETURNS (QuantizeRecord): The comparison, also written to optimize.json there.
    RAISES (InputError): If an input is missing, or the pipeline has no encoder of
        `bert_ner.TransformerModel`.
    """
    nlp = load_pipeline(model)
    shim = _find_encoder(nlp, model)
    before = _annotated(nlp, split)
    shim.unpack()
    shim.put_onnx(quantize(shim._hfmodel.transformer))
    after = _annotated(nlp, split)
    alone = compare(after, _annotated(nlp, split, batch_size=1))
    record: QuantizeRecord = {
        **compare(before, after),
        "agreement_alone": alone["agreement"],
    }
    nlp.meta["name"] = f"{nlp.meta['name']}_{SUFFIX}"
    nlp.meta["needs"] = ["onnxruntime>=1.20,<2"]
    with replacing(output) as partial:
        nlp.to_disk(partial)
        write_json(partial / "optimize.json", record)
    return record


def _find_encoder(nlp: Language, model: Path) -> Any:
    nodes = [n for _, pipe in nlp.components if hasattr(pipe, "model") for n in pipe.model.walk()]
    shims = [shim for node in nodes for shim in node.shims if hasattr(shim, "put_onnx")]
    if len(shims) != 1:
        raise InputError(f"{model}: expected one encoder of bert_ner.TransformerModel.")
    (shim,) = shims
    if shim.lora:
        raise InputError(
            f"{model}: has LoRA adapters. Calibrate it first, which merges them: "
            f"python -m scripts.calibrate."
        )
    if shim.onnx:
        raise InputError(f"{model}: is quantized already.")
    return shim


class _Encoder(nn.Module):
    """An encoder with positional inputs and one output, as the ONNX exporter needs."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *segments: Tensor) -> Tensor:
        named = {"token_type_ids": segments[0]} if segments else {}
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **named)
        hidden: Tensor = output.last_hidden_state
        return hidden


def quantize(encoder: Any) -> bytes:
    """Export an encoder to ONNX with 8-bit integer weights in its linear layers.

    The inputs of each layer are quantized at run time, by their range in the batch (dynamic
    quantization), so no text is needed to calibrate ranges. As a consequence, the other texts in
    a batch change the result slightly.

    encoder (PreTrainedModel): The encoder.
    RETURNS (bytes): The ONNX model.
    RAISES (InputError): If ONNX or ONNX Runtime is not installed.
    """
    try:
        from onnx import TensorProto
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed. Install the project with the extra int8: "
            f'pip install -e ".[int8]".'
        ) from error
    with tempfile.TemporaryDirectory() as name:
        plain, small = Path(name) / "plain.onnx", Path(name) / "small.onnx"
        _export(encoder, plain)
        _fuse_attention(plain, encoder.config)
        logging.disable(logging.WARNING)  # its advice makes no difference here
        try:
            quantize_dynamic(
                plain,
                small,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul", "Attention"],
                extra_options={"DefaultTensorType": TensorProto.FLOAT},  # of unknown types
            )
        finally:
            logging.disable(logging.NOTSET)
        return small.read_bytes()


def _export(encoder: Any, path: Path) -> None:
    """Export an encoder to ONNX in float32."""
    segments = getattr(encoder.config, "type_vocab_size", 0) > 0
    names = INPUTS if segments else INPUTS[:2]
    ids = torch.ones(2, 8, dtype=torch.int64)
    inputs = (ids, torch.ones(2, 8), *([torch.zeros_like(ids)] if segments else []))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from PyTorch's exporter
        torch.onnx.export(
            _Encoder(encoder).eval(),
            inputs,
            path,
            input_names=list(names),
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "windows", 1: "pieces"} for name in (*names, OUTPUT)},
            opset_version=OPSET,
            dynamo=False,
        )


def _fuse_attention(path: Path, config: Any) -> None:
    """Fuse each layer's attention into one operator if it is BERT's; leave any other alone.

    Query, key and value then read the quantized input together. The fused operators for bias
    and layer normalization are slower than their parts, so they stay off.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options = FusionOptions("bert")
    options.use_raw_attention_mask()  # the others assume padding on the right
    options.enable_embed_layer_norm = False
    options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = False
    options.enable_bias_gelu = False
    optimize_model(
        str(path),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=options,
        opt_level=0,  # ONNX Runtime optimizes at load time
    ).save_model_to_file(str(path))


def _annotated(nlp: Language, split: Path, batch_size: int | None = None) -> list[Document]:
    examples = load_examples(nlp, split)
    annotate(nlp, examples, "comparing", batch_size=batch_size)
    return read_documents(examples)


def compare(before: list[Document], after: list[Document]) -> Agreement:
    """Compare two pipelines on the same documents.

    before (list[Document]): The documents with the annotations of one pipeline.
    after (list[Document]): The same documents with those of the other.
    RETURNS (Agreement): Their agreement.
    """
    both = list(zip(before, after, strict=True))
    pairs = [pair for old, new in both for pair in match(old.predicted, new.predicted)]
    differences = [
        abs(confidence - new.confidence[mention])
        for old, new in both
        for mention, confidence in old.confidence.items()
        if mention in new.confidence
    ]
    return {
        "mentions": sum(len(old.predicted) for old in before),
        "agreement": score(pairs).f1,
        "f1": {"before": score(pairs_of(before)).f1, "after": score(pairs_of(after)).f1},
        "confidence_difference": sum(differences) / len(differences) if differences else None,
    }
