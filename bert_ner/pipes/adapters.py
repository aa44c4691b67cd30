"""Changes to an encoder before training: segments for case, frozen layers, low-rank adapters."""

from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel

from .wordpieces import CASES

SEGMENTS = "token_type_embeddings"  # BERT's name for its segment table
ATTENTION = ("query", "key", "value", "q", "k", "v", "q_lin", "k_lin", "v_lin")


@dataclass(frozen=True, kw_only=True)
class LoraOptions:
    """Size of low-rank adapters.

    rank (int): Rank of each adapter, at least 1.
    alpha (float): Scale of the adapters' output, multiplied by the rank.
    """

    rank: int
    alpha: float


def add_case_segments(encoder: PreTrainedModel) -> None:
    """Extend the encoder's segment table to one row for each class of case.

    Every row starts as a copy of row 0, the row of a single text, so the output of
    the encoder does not change until it is trained.

    encoder (PreTrainedModel): The encoder, changed in place.
    RAISES (ValueError): If the encoder has no segment table.
    """
    parents = [m for m in encoder.modules() if isinstance(getattr(m, SEGMENTS, None), nn.Embedding)]
    if not parents:
        raise ValueError(
            f"case_segments needs an encoder with a segment table, as BERT has; "
            f"{encoder.config.model_type} has none. Set case_segments = false."
        )
    old = getattr(parents[0], SEGMENTS).weight
    table = nn.Embedding(len(CASES), old.shape[1])
    table.weight.data = old.data[:1].repeat(len(CASES), 1).clone()
    setattr(parents[0], SEGMENTS, table.to(old.device))
    encoder.config.type_vocab_size = len(CASES)


def freeze(encoder: PreTrainedModel, layers: int) -> None:
    """Freeze the embeddings and the lowest layers. The segments for case stay trainable.

    encoder (PreTrainedModel): The encoder, changed in place.
    layers (int): Number of layers; 0 freezes the embeddings alone.
    RAISES (ValueError): If the encoder has fewer layers.
    """
    total = encoder.config.num_hidden_layers
    if not 0 <= layers <= total:
        raise ValueError(f"frozen_layers = {layers}: the encoder has {total} layers")
    stacks = [m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == total]
    if not stacks or not hasattr(encoder, "embeddings"):
        raise ValueError(
            f"frozen_layers: cannot tell the layers of {encoder.config.model_type} apart"
        )
    for module in (encoder.embeddings, *stacks[0][:layers]):
        for name, parameter in module.named_parameters():
            parameter.requires_grad = _is_case_table(name, parameter)


def _is_case_table(name: str, parameter: nn.Parameter) -> bool:
    """Whether a parameter is the segment table that `add_case_segments` has made."""
    return SEGMENTS in name and len(parameter) == len(CASES)


def add_lora(encoder: PreTrainedModel, options: LoraOptions) -> None:
    """Add low-rank adapters to the attention weights and freeze all other weights.

    The segments for case stay trainable. Source: Hu et al., "LoRA: Low-Rank
    Adaptation of Large Language Models" (ICLR 2022), through peft.

    encoder (PreTrainedModel): The encoder, changed in place.
    options (LoraOptions): Size of the adapters.
    RAISES (ValueError): If peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ValueError("lora_rank needs peft: pip install 'en_bert_ner_project[lora]'") from error
    names = {name.rsplit(".")[-1] for name, _ in encoder.named_modules()}
    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=0.1,
        target_modules=sorted(names.intersection(ATTENTION)),
    )
    inject_adapter_in_model(config, encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = "lora_" in name or _is_case_table(name, parameter)


def merge_lora(encoder: PreTrainedModel) -> int:
    """Add the adapters to the weights they adapt, and remove the adapters.

    encoder (PreTrainedModel): The encoder, changed in place.
    RETURNS (int): Number of merged adapters.
    """
    merged = 0
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "lora_A") and hasattr(child, "get_base_layer"):
                child.merge()
                setattr(parent, name, child.get_base_layer())
                merged += 1
    return merged
