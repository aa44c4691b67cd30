"""The GPU that PyTorch and CuPy share, and the machine for the record of a measurement."""

import os
import platform
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError, first_line

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


def describe_machine(gpu: int = -1) -> str:
    """Name the processor and the GPU, if one is used.

    gpu (int): The GPU's number, -1 for none.
    RETURNS (str): Such as "2 cores of Intel Xeon", "2 cores of ..., NVIDIA H200"; "1 of
        2 cores of ..." where PyTorch computes with fewer threads.
    """
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    used = "" if torch.get_num_threads() >= (cores or 1) else f"{torch.get_num_threads()} of "
    described = f"{used}{cores} cores of {_processor()}"
    if gpu < 0:
        return described
    return f"{described}, {torch.cuda.get_device_name(gpu)}"


def peak_memory_mb(gpu: int = -1) -> int:
    """The most memory that this process held so far, in MiB.

    gpu (int): The GPU's number, for the memory that PyTorch held there; -1 for the
        machine's own.
    """
    if gpu >= 0:
        import torch

        return torch.cuda.max_memory_allocated(gpu) // 1024**2
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def reserved_memory_mb(gpu: int) -> float:
    """The memory that PyTorch holds on a GPU now, in MiB."""
    import torch

    return torch.cuda.memory_reserved(gpu) / 1024**2


def resident_memory_mb() -> float:
    """The memory that this process holds now, in MiB, as Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def computes_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16, with which it trains faster."""
    flags = " ".join(_cpuinfo("flags") + _cpuinfo("Features")).split()  # x86 and ARM
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))


def _processor() -> str:
    names = _cpuinfo("model name")
    return names[0] if names else platform.processor() or platform.machine()


def _cpuinfo(key: str) -> list[str]:
    """What Linux says of each processor; nothing elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith(key)]
