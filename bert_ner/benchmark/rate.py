"""The device's rate in a large matrix product, and the operations of an encoder."""

import time
from collections.abc import Callable

import torch
from torch.utils import mkldnn

from ..devices import use_device
from .worker import Worker, stopping

SIZES = {"cpu": (2048, torch.float32), "cuda": (8192, torch.float16)}
TURNS = 50


def find_matrix_rate(gpu: int) -> int:
    """Run `measure_matrix_rate` in another process, and round it.

    If PyTorch multiplies matrices before a pipeline is loaded, its cache keeps the compiled
    kernels for every shape: see bert_ner/pipes/encoder.py.
    """
    worker: Worker[None] = Worker("matrices", load_matrix_rate, gpu, gpu)
    with stopping([worker]):
        return worker.run(None).done


def measure_matrix_rate(gpu: int) -> float:
    """Measure the rate of a large product of random matrices, the best of several.

    gpu (int): Number of the GPU, which computes in half precision; -1 for the CPU, which
        computes in single precision, as in predictions.
    RETURNS (float): Multiplications and additions, in billions per second.
    """
    device = use_device(gpu)
    size, dtype = SIZES[device.type]
    layer = torch.nn.Linear(size, size, bias=False, device=device, dtype=dtype)
    matrix = torch.randn(size, size, device=device, dtype=dtype)
    if gpu < 0 and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        # PyTorch's fastest implementation on a CPU
        layer, matrix = mkldnn.to_mkldnn(layer), matrix.to_mkldnn()  # type: ignore[no-untyped-call]
    seconds = []
    with torch.no_grad():
        for _ in range(TURNS):
            started = time.perf_counter()
            layer(matrix)
            if gpu >= 0:
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds) / 1e9


def load_matrix_rate(gpu: int) -> Callable[[None], int]:
    """Create the task of a `Worker` from `measure_matrix_rate`."""
    return lambda _: round(measure_matrix_rate(gpu))


def count_matrix_weights(encoder: str) -> int:
    """Count the weights that an encoder multiplies with each word piece.

    encoder (str): The encoder's folder.
    RETURNS (int): The weights of its linear layers, except the unused pooler.
    """
    from transformers import AutoConfig, AutoModel

    with torch.device("meta"):
        model = AutoModel.from_config(AutoConfig.from_pretrained(encoder))
    return sum(
        module.weight.numel()
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.startswith("pooler")
    )
