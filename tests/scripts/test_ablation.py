from pathlib import Path

import pytest

from bert_ner.experiments import ablation
from bert_ner.experiments.records import RunRequest, RunResult
from scripts.ablation import main
from tests.experiments.helpers import PLAN, make_record
from tests.helpers import fails


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "configs" / "ablation.toml"
    path.parent.mkdir()
    path.write_text(PLAN)
    config = Path(__file__).parents[2] / "configs" / "config.cfg"
    (path.parent / "config.cfg").write_text(config.read_text())
    return path


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """A converted corpus of which the command reads only the source."""
    folder = tmp_path / "corpus" / "conll2003"
    folder.mkdir(parents=True)
    for split in ("train", "dev", "test"):
        (folder / f"{split}.spacy").touch()
    (folder / "source.json").write_text(
        '{"corpus": "c", "title": "t", "kind": "user", "where": "w", "licence": "l", "url": "u",'
        ' "files": {}}'
    )
    return folder.parent


def test_runs_are_measured_and_the_page_is_written(
    plan: Path,
    converted: Path,
    encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def start(request: RunRequest, *, jobs: int) -> RunResult:
        record = make_record(0.7 if request["overrides"] else 0.5)
        return {key: record[key] for key in RunResult.__required_keys__}  # type: ignore[literal-required,return-value]

    monkeypatch.setattr(ablation, "_start", start)
    results, page = tmp_path / "results", tmp_path / "ablation.md"
    for minutes in (0.0, None):
        main(
            "conll2003",
            only=["crf"],
            minutes=minutes,
            plan=plan,
            data=converted,
            results=results,
            page=page,
            encoder=str(encoder),
            gpu_id="-1",
        )
    stopped, complete = capsys.readouterr().out.split(f"{page}\n")[:2]
    assert "0 of 4 runs are already measured" in stopped
    assert "stopped after 0 minutes; the same command resumes" in stopped
    assert "crf, seed 2: test F1 70.00; 0 minutes left" in complete
    assert "stopped" not in complete
    assert len(list((results / "conll2003" / "small").iterdir())) == 4
    assert "| `crf` | 2 | 70.00 ± 0.00 |" in page.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["conll2003", "--budget", "big"], "--budget big: expected one of small"),
        (["conll2003", "--only", "nothing"], "--only nothing: not a switch"),
        (["nothing"], "expected one of"),
        (["mit_movie"], "train.spacy: not found. Convert the corpus first."),
    ],
)
def test_wrong_options_are_explained(
    options: list[str],
    message: str,
    plan: Path,
    converted: Path,
    encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files: list[str | Path] = [
        "--plan",
        plan,
        "--data",
        converted,
        "--encoder",
        encoder,
        "--gpu-id",
        "-1",
    ]
    assert message in fails(monkeypatch, capsys, "ablation", *options, *files)
