"""Chooses the device that PyTorch and CuPy share, and describes the machine for records."""

import logging
import os
import platform
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError, first_line

if TYPE_CHECKING:
    import torch

logger = logging.getLogger(__name__)


def choose_gpu(gpu_id: str) -> int:
    """Choose the device to compute on.

    With `auto`, a GPU that spaCy cannot use because CuPy is missing is logged as a
    warning.

    gpu_id (str): `auto`, or a GPU's number, -1 for the CPU.
    RETURNS (int): The GPU's number, -1 for the CPU.
    RAISES (InputError): If the requested GPU cannot be used.
    """
    if gpu_id not in ("auto", "-1") and not gpu_id.isdecimal():
        raise InputError(f'--gpu-id {gpu_id}: expected "auto", -1 for the CPU, or 0, 1, ...')
    if gpu_id == "-1":
        return -1
    import torch

    if not torch.cuda.is_available():
        if gpu_id == "auto":
            return -1
        raise InputError(f"--gpu-id {gpu_id}: PyTorch sees no GPU. Use -1, or check the driver.")
    cupy_cuda = _cupy_cuda()
    if problem := explain_mismatch(torch.version.cuda, cupy_cuda):
        if gpu_id == "auto" and cupy_cuda is None:
            logger.warning("Using the CPU: %s", problem)
            return -1
        raise InputError(problem)
    number = 0 if gpu_id == "auto" else int(gpu_id)
    if number >= (count := torch.cuda.device_count()):
        raise InputError(f"--gpu-id {gpu_id}: there are {count} GPUs, counted from 0.")
    return number


def use_device(gpu: int) -> "torch.device":
    """Let spaCy compute on a device and share its memory with PyTorch.

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
    """Explain why PyTorch and CuPy cannot share a GPU, if they cannot.

    torch_cuda (str | None): `torch.version.cuda`, such as "12.8".
    cupy_cuda (int | None): CuPy's CUDA version, such as 12080; None if CuPy is
        not installed.
    RETURNS (str | None): The problem and the package to install, None if they can.
    """
    major = (torch_cuda or "0").split(".")[0]
    if cupy_cuda is None:
        return (
            f"PyTorch has a GPU, but spaCy needs CuPy to use it, which is not installed. "
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
    """Describe the processor, and the GPU if one is used.

    gpu (int): The GPU's number, -1 for none.
    RETURNS (str): Such as "2 cores of Intel Xeon" or "2 cores of ..., NVIDIA H200"; "1 of
        2 cores of ..." if PyTorch uses fewer threads than there are cores.
    """
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    share = "" if torch.get_num_threads() >= (cores or 1) else f"{torch.get_num_threads()} of "
    described = f"{share}{cores} cores of {_processor()}"
    if gpu < 0:
        return described
    return f"{described}, {torch.cuda.get_device_name(gpu)}"


def peak_memory_mb(gpu: int = -1) -> int:
    """Return the peak memory of this process, in MiB.

    gpu (int): The GPU's number, for the memory that PyTorch allocated on it; -1 for
        the main memory.
    """
    if gpu >= 0:
        import torch

        return torch.cuda.max_memory_allocated(gpu) // 1024**2
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def reserved_memory_mb(gpu: int) -> float:
    """Return the memory that PyTorch reserves on a GPU now, in MiB."""
    import torch

    return torch.cuda.memory_reserved(gpu) / 1024**2


def resident_memory_mb() -> float:
    """Return the memory that this process uses now, in MiB. Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def computes_bfloat16() -> bool:
    """Check for bfloat16 instructions of the processor, which make training faster."""
    flags = " ".join(_cpuinfo("flags") + _cpuinfo("Features")).split()  # x86 and ARM
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(flags))


def _processor() -> str:
    names = _cpuinfo("model name")
    return names[0] if names else platform.processor() or platform.machine()


def _cpuinfo(key: str) -> list[str]:
    """Read a value for each core from /proc/cpuinfo. Empty on other systems than Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith(key)]
