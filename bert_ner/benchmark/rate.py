"""How near to its device's limit a system comes: its arithmetic against a large product's."""

import time
from collections.abc import Callable

import torch
from torch.utils import mkldnn

from ..devices import use_device

SIZES = {"cpu": (2048, torch.float32), "cuda": (8192, torch.float16)}
TURNS = 50


def measure_matrix_rate(gpu: int) -> float:
    """The rate of a large product of matrices of random numbers, the best of some.

    gpu (int): The GPU's number, for numbers in half precision; -1 for the CPU, where
        they are in single precision, as in predictions.
    RETURNS (float): Multiplications and additions, in billions a second.
    """
    device = use_device(gpu)
    size, kind = SIZES[device.type]
    layer = torch.nn.Linear(size, size, bias=False, device=device, dtype=kind)
    given = torch.randn(size, size, device=device, dtype=kind)
    if gpu < 0 and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        # PyTorch's fastest on a CPU
        layer, given = mkldnn.to_mkldnn(layer), given.to_mkldnn()  # type: ignore[no-untyped-call]
    seconds = []
    with torch.no_grad():
        for _ in range(TURNS):
            started = time.perf_counter()
            layer(given)
            if gpu >= 0:
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds) / 1e9


def load_matrix_rate(gpu: int) -> Callable[[None], int]:
    """Make a task of it, for a process of its own."""
    return lambda _: round(measure_matrix_rate(gpu))


def count_matrix_weights(encoder: str) -> int:
    """The weights by which an encoder multiplies each word piece.

    encoder (str): Its folder.
    RETURNS (int): Those of its linear layers, without the pooler, which nothing reads.
    """
    from transformers import AutoConfig, AutoModel

    with torch.device("meta"):
        model = AutoModel.from_config(AutoConfig.from_pretrained(encoder))
    return sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.startswith("pooler")
    )
