"""What machine this is, for the record beside a figure."""

import os
import platform
import resource
import sys
from pathlib import Path


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
