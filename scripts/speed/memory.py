"""How much memory this process has."""

import os
from pathlib import Path


def resident_mb() -> float:
    """The resident memory of this process, in MB, as Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
