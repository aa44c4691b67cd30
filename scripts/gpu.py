"""Whether there is a GPU that both PyTorch and CuPy can use, and using it."""

from typing import TYPE_CHECKING

from scripts.errors import InputError, first_line

if TYPE_CHECKING:
    import torch


def choose_gpu(wanted: str) -> int:
    """Choose the device to train on.

    wanted (str): `auto`, or a GPU's number, -1 for the CPU.
    RETURNS (int): The GPU's number, -1 for the CPU.
    RAISES (InputError): If the GPU that is asked for cannot be used.
    """
    if wanted not in ("auto", "-1") and not wanted.isdecimal():
        raise InputError(f'--gpu-id {wanted}: expected "auto", -1 for the CPU, or 0, 1, ...')
    if wanted == "-1":
        return -1
    import torch

    if not torch.cuda.is_available():
        if wanted == "auto":
            return -1
        raise InputError(f"--gpu-id {wanted}: PyTorch sees no GPU. Use -1, or check the driver.")
    cupy_cuda = _cupy_cuda()
    if problem := explain_mismatch(torch.version.cuda, cupy_cuda):
        if wanted == "auto" and cupy_cuda is None:
            print(f"On the CPU: {problem}")
            return -1
        raise InputError(problem)
    number = 0 if wanted == "auto" else int(wanted)
    if number >= (count := torch.cuda.device_count()):
        raise InputError(f"--gpu-id {wanted}: there are {count} GPUs, counted from 0.")
    return number


def use_device(gpu: int) -> "torch.device":
    """Let spaCy compute on a device, with PyTorch, and out of the same memory.

    gpu (int): The GPU's number, -1 for the CPU.
    RETURNS (torch.device): The device.
    """
    import torch
    from thinc.api import require_gpu, set_gpu_allocator

    if gpu < 0:
        return torch.device("cpu")
    require_gpu(gpu)
    set_gpu_allocator("pytorch")
    return torch.device("cuda", gpu)


def explain_mismatch(torch_cuda: str | None, cupy_cuda: int | None) -> str | None:
    """Say what is wrong where PyTorch and CuPy are built for different CUDAs.

    torch_cuda (str | None): `torch.version.cuda`, such as "12.8".
    cupy_cuda (int | None): CuPy's CUDA version, such as 12080; None if it is
        not installed.
    RETURNS (str | None): What is wrong and what to install, None if nothing is.
    """
    major = (torch_cuda or "0").split(".")[0]
    if cupy_cuda is None:
        return (
            f"PyTorch has a GPU, but spaCy needs CuPy for it, and it is not installed. "
            f"Run: make run EXTRA=cuda{major}."
        )
    if str(cupy_cuda // 1000) != major:
        return (
            f"CuPy is built for CUDA {cupy_cuda // 1000} and PyTorch for CUDA {torch_cuda}: they "
            f"cannot share a GPU. Install one of the extras cuda12 and cuda13 with its constraints."
        )
    return None


def _cupy_cuda() -> int | None:
    try:
        import cupy
    except ImportError:
        return None
    try:
        return int(cupy.cuda.runtime.runtimeGetVersion())
    except RuntimeError as error:
        raise InputError(f"CuPy cannot use CUDA: {first_line(error)}") from error
