"""`spacy project run all` and other workflows, with a tiny random BERT."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import spacy

from bert_ner.corpora.registry import CORPORA
from bert_ner.files import read_json
from tests.conftest import ROOT, write_assets

# one process makes the project once
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("workflow")]
STEPS = ("train-config", "calibrate-config", "evaluate-config", "package-config", "check-config")


def run(project: Path, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "spacy", "project", "run", *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "NER_CORPORA"}
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=project, env=environment, check=False
    )
    assert result.returncode == 0 or not check, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def options(encoder: Path) -> list[str]:
    return ["--vars.encoder", str(encoder), "--vars.epochs", "120", "--vars.gpu_id=-1"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, options: list[str]) -> Path:
    """A copy of the project with tiny corpora, after `run all`."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("project.yml", "bert_ner", "scripts", "configs"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    write_assets(folder / "assets")
    run(folder, "all", ".", *options)
    return folder


def wheels(project: Path) -> list[Path]:
    return sorted((project / "packages").glob("*/dist/*.whl"))


def test_all_leaves_two_wheels_and_their_records(project: Path) -> None:
    assert [w.name for w in wheels(project)] == [
        "en_bert_ner-0.1.0-py3-none-any.whl",
        "en_bert_movie_ner-0.1.0-py3-none-any.whl",
    ]
    for corpus in ("conll2003", "mit_movie"):
        training = project / "training" / "config" / corpus
        assert sorted(p.name for p in training.iterdir()) == [
            "log.jsonl",
            "model-best",
            "pipeline",
            "train.json",
        ]
        record = read_json(training / "train.json")
        assert record["encoder"] == "tiny-bert"
        log = [json.loads(line) for line in (training / "log.jsonl").read_text().splitlines()]
        assert [entry["step"] for entry in log][:2] == [0, record["steps_per_epoch"] * 6]
        metrics = read_json(project / "metrics" / "config" / f"{corpus}.json")
        assert metrics["source"]["kind"] == "user"
        assert set(metrics["scores"]) == {"dev", "test"}
        wheel = read_json(project / "metrics" / "config" / f"{corpus}.wheel.json")
        assert wheel["f1"] == pytest.approx(metrics["scores"]["test"]["f1"], abs=1e-6)
        assert wheel["example"] == CORPORA[corpus].example  # of its own domain
        assert not any(module.startswith(("scripts", "bert_ner")) for module in wheel["code"])
        assert any(module.endswith(".windows") for module in wheel["code"])


def test_meta_and_card_describe_the_training(project: Path) -> None:
    meta = read_json(project / "packages" / "config-conll2003" / "meta.json")
    assert meta["sources"][0]["name"] == "CoNLL-2003"
    assert meta["corpus"]["kind"] == "user"
    assert set(meta["corpus"]["files"]) == {"train.txt", "valid.txt", "test.txt"}
    assert meta["training"]["seed"] == 1
    assert "ents_f" in meta["performance"]
    card = (project / "packages" / "config-conll2003" / "README.md").read_text()
    assert "| `LOC` | places: Lake Geneva |" in card
    assert meta["training"]["encoder_sha256"] in card
    assert meta["corpus"]["files"]["train.txt"] in card
    with zipfile.ZipFile(wheels(project)[0]) as wheel:
        assert wheel.read("en_bert_ner/en_bert_ner-0.1.0/README.md").decode() == card
        assert json.loads(wheel.read("en_bert_ner/en_bert_ner-0.1.0/meta.json")) == meta
    assert meta["license"].startswith("MIT")
    assert meta["author"]
    names = [requirement.split(">")[0] for requirement in meta["requirements"]]
    assert names == ["spacy", "spacy-transformers", "torch"]


def test_a_wheel_names_no_folder_of_this_machine(project: Path, encoder: Path) -> None:
    """No absolute path in any file of it, and no name of a temporary file."""
    folders = {encoder.parent, project, ROOT, Path.home(), Path(sys.prefix)}
    wanted = [*(str(folder).encode() for folder in folders if len(folder.parts) > 2)]
    wanted += [b"/tmp/", b"/home/", b"/Users/", b".partial"]
    for path in wheels(project):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                content = wheel.read(name)
                assert [text for text in wanted if text in content] == [], name


def test_second_run_skips_all_but_fetching(project: Path, options: list[str]) -> None:
    output = run(project, "all", ".", *options).stdout
    for corpus in ("conll2003", "mit_movie"):
        assert f"Skipping 'fetch-{corpus}'" not in output
        for step in ("convert", *STEPS):
            assert f"Skipping '{step}-{corpus}': nothing changed" in output


def test_dev_scores_in_the_log_are_those_of_the_evaluation(project: Path) -> None:
    """The best evaluation of the training, repeated on the stored pipeline."""
    log = (project / "training" / "config" / "conll2003" / "log.jsonl").read_text().splitlines()
    best = max(json.loads(line)["score"] for line in log)
    metrics = read_json(project / "metrics" / "config" / "conll2003.json")
    assert best > 0
    assert metrics["scores"]["dev"]["f1"] == pytest.approx(best, abs=1e-4)


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_pipeline_of_a_gpu_runs_on_the_cpu(project: Path) -> None:
    """Its config switches mixed precision on."""
    model = project / "training" / "config" / "conll2003" / "model-best"
    override = {"components": {"transformer": {"model": {"mixed_precision": True}}}}
    texts = ["Anna Berg lives in3 Oslo .", "Rain fell in1 Lima , Quito ."]
    plain, mixed = (
        [[(e.text, e.label_) for e in doc.ents] for doc in spacy.load(model, config=c).pipe(texts)]
        for c in ({}, override)
    )
    assert mixed == plain
    assert any(plain)


@pytest.mark.parametrize(("order", "with_repository"), [((0, 1), True), ((1, 0), False)])
def test_both_wheels_load_in_one_process(
    project: Path, tmp_path: Path, order: tuple[int, int], with_repository: bool
) -> None:
    packages = [wheels(project)[i] for i in order]
    for wheel in packages:
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
        subprocess.run([*install, "--target", str(tmp_path), str(wheel)], check=True)
    names = [wheel.name.split("-")[0] for wheel in packages]
    program = "import bert_ner.pipes.windows\n" if with_repository else ""
    program += f"import sys, spacy; sys.path.insert(0, {str(tmp_path)!r})\n"
    program += f"print([spacy.load(n)('Oslo').text for n in {names!r}])"
    folder = ROOT if with_repository else tmp_path
    subprocess.run([sys.executable, "-c", program], check=True, cwd=folder)


def test_plain_spacy_train_and_evaluate_work(project: Path, encoder: Path, tmp_path: Path) -> None:
    data = project / "corpus" / "conll2003"
    command = [sys.executable, "-m", "spacy", "train", str(ROOT / "configs" / "config.cfg")]
    command += ["--paths.train", str(data / "train.spacy"), "--paths.dev", str(data / "dev.spacy")]
    command += ["--components.transformer.model.name", str(encoder), "-o", str(tmp_path / "out")]
    command += ["--training.max_steps", "2", "--training.optimizer.learn_rate.total_steps", "2"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    command = [sys.executable, "-m", "spacy", "evaluate", str(tmp_path / "out" / "model-last")]
    result = subprocess.run(
        [*command, str(data / "test.spacy")], check=True, capture_output=True, text=True
    )
    assert "NER F" in result.stdout


def test_two_trainings_with_one_seed_are_the_same(
    project: Path, options: list[str], tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    before = read_log(copy / "training" / "config" / "conll2003" / "log.jsonl")
    shutil.rmtree(copy / "training")
    run(copy, "train", ".", *options)
    assert read_log(copy / "training" / "config" / "conll2003" / "log.jsonl") == before


def read_log(path: Path) -> list[dict[str, Any]]:
    """A training's log, without its times."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_failing_step_stops_the_run_and_leaves_no_partial_output(
    project: Path, options: list[str], tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    (copy / "assets" / "conll2003" / "train.txt").write_text("a b\n")
    result = run(copy, "all", ".", *options, check=False)
    assert result.returncode == 1
    assert "train.txt:1: expected 4 columns" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert [p.name for p in (copy / "corpus").iterdir() if p.name.startswith(".")] == []
    assert (copy / "corpus" / "conll2003" / "train.spacy").exists()


def test_own_corpus_goes_all_the_way(project: Path, options: list[str], tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    own = copy / "assets" / "own"
    own.mkdir()
    rows = "".join(f"Oslo{i}|x|B-PLACE\nshines|y|O\n\n" for i in range(40))
    (own / "mine.txt").write_text(rows, encoding="utf-16")
    (own / "corpus.toml").write_text(
        'train = "mine.txt"\ntag = 2\nseparator = "|"\nencoding = "utf-16"\ntitle = "Places"\n'
    )
    options = [*options, "--vars.epochs", "2"]
    run(copy, "pipeline", ".", "--vars.corpus", "own", *options)
    metrics: dict[str, Any] = read_json(copy / "metrics" / "config" / "own.json")
    assert metrics["pipeline"] == "en_bert_own_ner"
    assert metrics["source"]["title"] == "Places"
    assert list((copy / "packages" / "config-own" / "dist").glob("en_bert_own_ner-*.whl"))

    def is_converted() -> bool:
        output = run(copy, "convert", ".", "--vars.corpus", "own", *options).stdout
        return "Skipping 'convert-own'" not in output

    (own / "mine.txt").write_text(rows + "Rome|x|B-PLACE\n", encoding="utf-16")
    assert is_converted()
    description = (own / "corpus.toml").read_text()
    (own / "corpus.toml").write_text(f"{description}sentences_per_document = 2\n")
    assert is_converted()
    assert not is_converted()


def test_switching_recipes_and_back_trains_nothing(
    project: Path, options: list[str], tmp_path: Path
) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    transition = ["--vars.recipe", "transition", *options, "--vars.epochs", "1"]
    assert "Skipping 'train" not in run(copy, "train", ".", *transition).stdout
    assert "Skipping 'train-config-conll2003'" in run(copy, "train", ".", *options).stdout
    assert "Skipping 'train-transition-conll2003'" in run(copy, "train", ".", *transition).stdout


def test_an_unknown_corpus_is_one_line_that_lists_the_corpora(project: Path) -> None:
    """From fetch, the first step of every workflow."""
    result = run(project, "train", ".", "--vars.corpus", "news", check=False)
    assert result.returncode == 1
    line = 'error: corpus "news": expected one of conll2003, mit_movie, mit_trivia, gmb, own.'
    assert line in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.registry
@pytest.mark.skipif(not os.environ.get("NER_TEST_REGISTRY"), reason="NER_TEST_REGISTRY is not set")
def test_wheel_works_in_a_clean_environment(project: Path, tmp_path: Path) -> None:
    """A new virtual environment with the wheel and its requirements from the registry."""
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "--no-compile"]
    install += ["-c", str(ROOT / "constraints.txt")]
    subprocess.run([*install, str(wheels(project)[0])], check=True, capture_output=True)
    test = project / "corpus" / "conll2003" / "test.spacy"
    for arguments in (["evaluate", "en_bert_ner", str(test)], ["info", "en_bert_ner"]):
        result = subprocess.run(
            [str(python), "-m", "spacy", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
