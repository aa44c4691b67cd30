"""Make a variant of a pipeline that a CPU runs faster: its encoder in 8-bit integers."""

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from spacy.language import Language
from torch import Tensor, nn

from ..errors import InputError
from ..evaluation.documents import Document, pairs_of, read_documents
from ..evaluation.matching import match, score
from ..evaluation.scoring import annotate
from ..files import replacing, write_json
from ..loading import load_examples, load_pipeline
from ..pipes.onnx_encoder import INPUTS, OUTPUT

OPSET = 17  # of ONNX; has all that BERT needs
INT8 = "int8"  # what the variant is called, and its name ends with


def optimize(model: Path, split: Path, output: Path) -> dict[str, Any]:
    """Write the variant, and say how much of what the pipeline finds it finds, too.

    model (Path): The finished pipeline.
    split (Path): The .spacy file to compare on.
    output (Path): The folder to write. It appears whole or not at all.
    RETURNS (dict[str, Any]): See `compare`; and agreement_alone, of the variant with
        itself when it reads one document at a time. Also written to optimize.json there.
    RAISES (InputError): If something is not there, or the pipeline's encoder is not
        one of `bert_ner.TransformerModel.v1`.
    """
    nlp = load_pipeline(model)
    shim = _find_encoder(nlp, model)
    before = _annotated(nlp, split)
    shim.unpack()
    shim.put_onnx(quantize(shim._hfmodel.transformer))
    after = _annotated(nlp, split)
    alone = compare(after, _annotated(nlp, split, batch_size=1))
    found = {**compare(before, after), "agreement_alone": alone["agreement"]}
    nlp.meta["name"] = f"{nlp.meta['name']}_{INT8}"
    nlp.meta["needs"] = ["onnxruntime>=1.20,<2"]
    with replacing(output) as partial:
        nlp.to_disk(partial)
        write_json(partial / "optimize.json", found)
    return found


def _find_encoder(nlp: Language, model: Path) -> Any:
    nodes = [n for _, pipe in nlp.components if hasattr(pipe, "model") for n in pipe.model.walk()]
    shims = [shim for node in nodes for shim in node.shims if hasattr(shim, "put_onnx")]
    if len(shims) != 1:
        raise InputError(f"{model}: expected one encoder of bert_ner.TransformerModel.v1.")
    (shim,) = shims
    if shim.lora:
        raise InputError(f"{model}: has adapters. Finish it first: python -m scripts.finish.")
    if shim.onnx:
        raise InputError(f"{model}: is optimized already.")
    return shim


class _Encoder(nn.Module):
    """An encoder from three inputs to one output, as ONNX wants it."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor, *segments: Tensor) -> Tensor:
        named = {"token_type_ids": segments[0]} if segments else {}
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **named)
        hidden: Tensor = output.last_hidden_state
        return hidden


def quantize(encoder: Any) -> bytes:
    """Export an encoder to ONNX, with the weights of its linear layers as 8-bit integers.

    The inputs of each layer are quantised as they come, by their range in the batch
    (dynamic quantisation), so that no text is needed to choose ranges. What stands beside
    a text in its batch so has a small part in what is found in it.

    encoder (PreTrainedModel): The encoder.
    RETURNS (bytes): The ONNX model.
    RAISES (InputError): If the libraries that do it are not there.
    """
    try:
        from onnx import TensorProto
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise InputError(
            f"{error.name} is not there. Install the project with the extra int8: "
            f'pip install -e ".[int8]".'
        ) from error
    segments = getattr(encoder.config, "type_vocab_size", 0) > 0
    names = INPUTS if segments else INPUTS[:2]
    ids = torch.ones(2, 8, dtype=torch.int64)
    inputs = (ids, torch.ones(2, 8), *([torch.zeros_like(ids)] if segments else []))
    with tempfile.TemporaryDirectory() as name:
        plain, small = Path(name) / "plain.onnx", Path(name) / "small.onnx"
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's exporter
            torch.onnx.export(
                _Encoder(encoder).eval(),
                inputs,
                plain,
                input_names=list(names),
                output_names=[OUTPUT],
                dynamic_axes={name: {0: "windows", 1: "pieces"} for name in (*names, OUTPUT)},
                opset_version=OPSET,
                dynamo=False,
            )
        _fuse_attention(plain, encoder.config)
        logging.disable(logging.WARNING)  # it advises what makes no difference here
        try:
            quantize_dynamic(
                plain,
                small,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul", "Attention"],
                extra_options={"DefaultTensorType": TensorProto.FLOAT},  # of what it does not know
            )
        finally:
            logging.disable(logging.NOTSET)
        return small.read_bytes()


def _fuse_attention(path: Path, config: Any) -> None:
    """Make each layer's attention one operator, where it is BERT's; leave any other as it is.

    Query, key and value then read the quantised input together. The operators for bias
    and layer normalisation that could be made in the same way are slower than their parts.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options = FusionOptions("bert")
    options.use_raw_attention_mask()  # the other kinds assume that padding comes last
    options.enable_embed_layer_norm = False
    options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = False
    options.enable_bias_gelu = False
    optimize_model(
        str(path),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=options,
        opt_level=0,  # ONNX Runtime's own come when the model is loaded
    ).save_model_to_file(str(path))


def _annotated(nlp: Language, split: Path, batch_size: int | None = None) -> list[Document]:
    examples = load_examples(nlp, split)
    annotate(nlp, examples, "comparing", batch_size=batch_size)
    return read_documents(examples)


def compare(before: list[Document], after: list[Document]) -> dict[str, Any]:
    """How far two pipelines agree.

    before (list[Document]): The documents as one pipeline annotates them.
    after (list[Document]): The same as the other does.
    RETURNS (dict[str, Any]): mentions (of the first), agreement (the F1 of one's
        mentions against the other's), f1 of both, and confidence_difference (the
        mean absolute one, over mentions that both find; None without confidence).
    """
    both = list(zip(before, after, strict=True))
    agreeing = [pair for old, new in both for pair in match(old.predicted, new.predicted)]
    gaps = [
        abs(sure - new.confidence[mention])
        for old, new in both
        for mention, sure in old.confidence.items()
        if mention in new.confidence
    ]
    return {
        "mentions": sum(len(old.predicted) for old in before),
        "agreement": score(agreeing).f1,
        "f1": {"before": score(pairs_of(before)).f1, "after": score(pairs_of(after)).f1},
        "confidence_difference": sum(gaps) / len(gaps) if gaps else None,
    }


def main(
    model: Annotated[Path, typer.Argument(help="The finished pipeline.")],
    data: Annotated[Path, typer.Argument(help="Folder of the converted corpus.")],
    output: Annotated[Path, typer.Option(help="Folder to write.")],
) -> None:
    """Make a variant of a pipeline that a CPU runs faster."""
    found = optimize(model, data / "test.spacy", output)
    f1 = {key: f"{100 * value:.2f}" for key, value in found["f1"].items()}
    print(
        f"{output}: of {found['mentions']:,} mentions on test, agreement "
        f"{100 * found['agreement']:.2f}; F1 {f1['before']} before, {f1['after']} after; "
        f"agreement {100 * found['agreement_alone']:.2f} with itself, one document at a time"
    )
