"""What can be changed of an encoder: let it see case, freeze it, adapt it in part."""

from typing import Any

from torch import nn

from .wordpieces import CASES

SEGMENTS = "token_type_embeddings"  # what BERT calls its segment table


def add_case_segments(encoder: Any) -> None:
    """Extend the encoder's segment table to one row for each class of case.

    Every row starts as a copy of row 0, the one that a single text has, so that
    the encoder says the same as before until it is trained.

    encoder (PreTrainedModel): The encoder, changed in place.
    RAISES (ValueError): If it has no segment table.
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


def freeze(encoder: Any, layers: int) -> None:
    """Freeze the embeddings and the lowest layers, but for the cases' segments.

    encoder (PreTrainedModel): The encoder, changed in place.
    layers (int): How many layers; 0 freezes the embeddings alone.
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
            parameter.requires_grad = _tells_case(name, parameter)


def _tells_case(name: str, parameter: nn.Parameter) -> bool:
    """Whether these are the rows that `add_case_segments` has added, which are yet to learn."""
    return SEGMENTS in name and len(parameter) == len(CASES)


def add_lora(encoder: Any, lora: dict[str, Any]) -> None:
    """Put low-rank adapters beside the attention's weights and freeze the rest.

    The cases' segments go on learning. Source: Hu et al., "LoRA: Low-Rank
    Adaptation of Large Language Models" (ICLR 2022), through peft.

    encoder (PreTrainedModel): The encoder, changed in place.
    lora (dict[str, Any]): rank and alpha.
    RAISES (ValueError): If peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise ValueError("lora_rank needs peft: pip install 'en_bert_ner_project[lora]'") from error
    targets = ["query", "key", "value", "q", "k", "v", "q_lin", "k_lin", "v_lin"]
    present = {name.rsplit(".")[-1] for name, _ in encoder.named_modules()}
    config = LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=0.1,
        target_modules=sorted(present.intersection(targets)),
    )
    inject_adapter_in_model(config, encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = "lora_" in name or _tells_case(name, parameter)


def merge_lora(encoder: Any) -> int:
    """Add the adapters to the weights beside them, and take the adapters away.

    encoder (PreTrainedModel): The encoder, changed in place.
    RETURNS (int): How many adapters were merged.
    """
    merged = 0
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "lora_A") and hasattr(child, "get_base_layer"):
                child.merge()
                setattr(parent, name, child.get_base_layer())
                merged += 1
    return merged
