"""The digest of the code that travels with a pipeline, on which the workflow depends.

weasel wants every file of a step listed. The pipes are many files that change together, so
the first step of every workflow writes one digest of them, and the steps that train, load or
package a pipeline depend on it.
"""

import hashlib
from pathlib import Path

from .files import replacing

PIPES = Path(__file__).parent / "pipes"


def write_pipes_digest(path: Path, folder: Path = PIPES) -> str:
    """Write the SHA-256 of a folder's Python files, if it has changed.

    path (Path): The file to write.
    folder (Path): The folder. Names and contents of its files count; caches do not.
    RETURNS (str): 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode() + content)
    text = digest.hexdigest() + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
    return text.strip()
