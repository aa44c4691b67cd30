"""Runs a command from a bundle on a machine without a network. Needs only Python.

    ./run.sh COMMAND ...      check, unpack, install and run
    ./run.sh                  the same, without a command

Parts may arrive one by one: each call checks and keeps the parts that have arrived, and the
first call that has all of them unpacks and installs. PyTorch and CuPy come from the
Python that runs this: `PYTHON=/path/to/python ./run.sh`, python3 by default.
"""

import hashlib
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHUNK = 2**20


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    digest_so_far = hashlib.sha256()
    with path.open("rb") as file:
        while content := file.read(CHUNK):
            digest_so_far.update(content)
    return digest_so_far.hexdigest()


def collect(sums: dict[str, str], store: Path) -> list[str]:
    """Keep the parts that have arrived; returns the missing ones."""
    store.mkdir(parents=True, exist_ok=True)
    missing = []
    for name, expected in sums.items():
        if (store / name).exists():
            continue
        part = HERE / name
        if not part.exists():
            missing.append(name)
        elif (found := digest(part)) != expected:
            sys.exit(f"error: {part}: expected SHA-256 {expected}, found {found}. Copy it again.")
        else:
            shutil.copyfile(part, store / f"{name}.partial")
            (store / f"{name}.partial").replace(store / name)
    return missing


class Joined:
    """The parts, read as one file."""

    def __init__(self, parts: list[Path]) -> None:
        self.parts = iter(parts)
        self.file = next(self.parts).open("rb")

    def read(self, size: int) -> bytes:
        """Read as a file does."""
        content = b""
        while len(content) < size:
            more = self.file.read(size - len(content))
            if not more:
                self.file.close()
                following = next(self.parts, None)
                if following is None:
                    break
                self.file = following.open("rb")
            content += more
        return content


def unpack(parts: list[Path], target: Path) -> None:
    """Unpack the parts; the folder appears complete or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=Joined(parts), mode="r|") as tar:  # type: ignore[call-overload]
        tar.extractall(partial, filter="data")
    partial.replace(target)


def check_python() -> None:
    """Stop if the wheels are for another version of Python."""
    expected = (HERE / "PYTHON").read_text().strip()
    if (here := f"{sys.version_info[0]}.{sys.version_info[1]}") != expected:
        sys.exit(
            f"error: {sys.executable} is Python {here}, and the bundle is for {expected}. "
            f"Name one: PYTHON=python{expected} {HERE}/run.sh"
        )


def create(environment: Path) -> None:
    """Make an environment that sees this Python's packages, even if it is an environment too."""
    has_pip = importlib.util.find_spec("ensurepip") is not None  # else it sees this Python's pip
    venv.create(environment, system_site_packages=True, with_pip=has_pip)
    base = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    for old in packages.glob("setuptools*"):  # Python 3.11 brings one that is too old
        shutil.rmtree(old)
    (packages / "of_the_machine.pth").write_text("\n".join(site.getsitepackages()) + "\n")


def install(target: Path) -> Path:
    """Install into an environment that sees this Python's packages; returns its Python."""
    environment = target / "venv"
    python = environment / "bin" / "python"
    done = environment / ".done"
    if not done.exists():
        shutil.rmtree(environment, ignore_errors=True)
        create(environment)
        if subprocess.run([str(python), "-c", "import torch"], check=False).returncode:
            sys.exit(
                f"error: {sys.executable} cannot import torch, which a bundle does not contain. "
                f"Name a Python that has it: PYTHON=/path/to/python {HERE}/run.sh"
            )
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        wheels = sorted(map(str, (target / "wheels").glob("*.whl")))
        for packages in (wheels, ["--no-build-isolation", "-e", str(target / "project")]):
            if packages and subprocess.run([*pip, *packages], check=False).returncode:
                sys.exit(
                    "error: pip could not install the bundle's packages; see its message above."
                )
        done.touch()
    return python


def read_sums() -> dict[str, str]:
    """The SHA-256 of each part, by its name."""
    try:
        lines = (HERE / "SHA256SUMS").read_text().split("\n")
    except FileNotFoundError:
        sys.exit(f"error: {HERE}/SHA256SUMS: not found. Copy it, and then the parts.")
    return {line.split("  ")[1]: line.split("  ")[0] for line in lines if line}


def main() -> None:
    """Run the command line that the module's docstring describes."""
    sums = read_sums()
    check_python()
    name = hashlib.sha256((HERE / "SHA256SUMS").read_bytes()).hexdigest()[:12]
    home = Path(os.environ.get("BUNDLE_HOME", Path.home() / ".cache" / "en_bert_ner")) / name
    if not (home / "content").exists():
        if missing := collect(sums, home / "parts"):
            here = len(sums) - len(missing)
            print(f"{here} of {len(sums)} parts have arrived; the next missing one is {missing[0]}")
            sys.exit(1 if sys.argv[1:] else 0)
        unpack([home / "parts" / part for part in sums], home / "content")
        shutil.rmtree(home / "parts")
    python = install(home / "content")
    if command := sys.argv[1:]:
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1"}
        folder = home / "content" / "project"
        if shutil.which(command[0], path=path) is None:
            sys.exit(f"error: {command[0]}: no such command.")
        sys.exit(subprocess.run(command, cwd=folder, env=environment, check=False).returncode)
    print(f"{home / 'content'}: ready")


if __name__ == "__main__":
    main()
