"""Digests of the code behind each command, for the workflow's dependencies.

weasel reruns a step if a listed file has changed, and it cannot list "every module that this one
imports". So the first step of every workflow writes one digest for each command: over its script,
the library modules that the script imports, directly or not, and the data files that they name.
A step depends on the digest of its command, and a new file needs no line in project.yml.
"""

import ast
import hashlib
from pathlib import Path

from .files import replacing

ROOT = Path(__file__).parents[1]
# Modules that do not change the output. The checksums of native files cover the code that fetches
# or generates them. The registry imports every corpus, but a step depends only on its own.
WITHOUT_EFFECT = frozenset(
    {"checksums", "cli", "digests", "errors", "files", "generate", "progress", "public", "registry"}
)
# A pipeline's code is found through entry points, not imports: this module loads it.
LOADS_PIPES = "loading"
DATA = frozenset({".css", ".html", ".json", ".md", ".toml"})


def write_digests(folder: Path, root: Path = ROOT) -> None:
    """Write the digests of the code of each command and of each corpus, if they have changed.

    folder (Path): The output folder, for files such as train.sha256 and corpora/gmb.sha256.
    root (Path): The folder with scripts/ and bert_ner/.
    """
    modules = {path.stem: path for path in (root / "scripts").glob("[a-z]*.py")}
    corpora = (root / "bert_ner" / "corpora").glob("[a-z]*.py")
    modules |= {f"corpora/{path.stem}": path for path in corpora}
    for name, module in modules.items():
        text = digest_files(code_of(module, root), root) + "\n"
        path = folder / f"{name}.sha256"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            with replacing(path) as partial:
                partial.write_text(text, encoding="utf-8")


def digest_files(files: set[Path], root: Path) -> str:
    """The SHA-256 of the names and contents of files, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def code_of(script: Path, root: Path) -> set[Path]:
    """The files that decide the output of a command or of a corpus's module.

    script (Path): The file in scripts/ or bert_ner/corpora/.
    root (Path): The folder with scripts/ and bert_ner/.
    RETURNS (set[Path]): The file, the modules that it imports, and the data files next to
        them that they name.
    """
    files = {script}
    waiting = [script]
    while waiting:
        module = waiting.pop()
        reached = {path for path in _imports(module, root) if path.stem not in WITHOUT_EFFECT}
        if module.stem == LOADS_PIPES:
            reached.update((root / "bert_ner" / "pipes").glob("*.py"))
        waiting += reached - files
        files |= reached
    return files | _named_data(files)


def _named_data(files: set[Path]) -> set[Path]:
    """The data files next to files that name them, such as a template and its base."""
    reached = set(files)
    folders = {file.parent for file in files}
    data = {path for folder in folders for path in folder.iterdir() if path.suffix in DATA}
    while named := {path for path in data - reached if _is_named(path, reached)}:
        reached |= named
    return reached - files


def _is_named(data: Path, files: set[Path]) -> bool:
    return any(data.name.encode() in file.read_bytes() for file in files)


def _imports(module: Path, root: Path) -> set[Path]:
    """The library's modules that a module names in its imports."""
    package = module.relative_to(root).parts[:-1]
    paths: set[Path] = set()
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = root.joinpath(*base, *(node.module or "").split("."))
            paths.add(target.with_suffix(".py"))
            paths.update(target / f"{alias.name}.py" for alias in node.names)
    return {path for path in paths if path.is_file() and path.is_relative_to(root / "bert_ner")}
