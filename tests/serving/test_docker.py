"""The Dockerfile copies files that exist and are not ignored, and drops its rights."""

import fnmatch
import json
import re
import subprocess
import tomllib

from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
WHEEL = "packages/config-conll2003/dist/en_bert_ner-0.1.0-py3-none-any.whl"


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the build. The last matching pattern decides."""
    parts = path.split("/")
    parents = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!")
        depth = pattern.count("/")
        if line and not line.startswith(("#", "**")) and depth < len(parts):
            matches = fnmatch.fnmatchcase(parents[depth], pattern)
            out = not line.startswith("!") if matches else out
    return out


def test_the_image_copies_files_that_exist() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    (packaged,) = re.findall(r"^ARG PACKAGE=(.*)$", DOCKERFILE, re.MULTILINE)
    for source in " ".join(copied).replace("${PACKAGE}", packaged).split():
        files = [p for p in [*tracked, WHEEL] if fnmatch.fnmatch(p, source) or p.startswith(source)]
        assert files, source
        assert not any(ignored(path) for path in files), source
    assert {"bert_ner", "scripts"} <= set(copied)
    assert "packages/${PACKAGE}/dist/*.whl" in copied
    assert sum(source.endswith(".whl") for source in copied) == 1
    for path in ("corpus/conll2003/train.spacy", ".venv/x", "packages/config-mit_movie/x"):
        assert ignored(path)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"serve", "cuda12"} <= set(project["optional-dependencies"])


def test_the_image_runs_the_service_without_rights() -> None:
    *_, last = DOCKERFILE.split("\nFROM ")
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    command = json.loads(re.findall(r"^ENTRYPOINT (.*)$", last, re.MULTILINE)[0])
    assert command == ["python", "-m", "scripts.serve"]
    assert "HEALTHCHECK" in last
