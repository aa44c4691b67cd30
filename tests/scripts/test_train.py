"""The options of the command, and the config that it prints. Nothing is trained here."""

from pathlib import Path

import pytest
from spacy import util
from thinc.api import Config

from bert_ner.corpora.convert import convert_corpus
from bert_ner.corpora.registry import CORPORA
from bert_ner.training import encoders, trainer
from bert_ner.training.encoders import Encoder
from bert_ner.training.plan import TrainingPlan
from scripts.train import main
from tests.conftest import write_assets
from tests.helpers import fails


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the converted corpora."""
    folder = tmp_path_factory.mktemp("data")
    write_assets(folder / "assets")
    convert_corpus(CORPORA["conll2003"], folder / "assets", folder / "corpus" / "conll2003")
    return folder / "corpus"


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[TrainingPlan, Path]]:
    """The plans and output folders of all trainings, which are not carried out."""
    calls: list[tuple[TrainingPlan, Path]] = []
    monkeypatch.setattr(trainer, "train_recipe", lambda *args: calls.append(args))
    return calls


def test_the_command_plans_and_trains(
    data: Path,
    encoder: Path,
    trained: list[tuple[TrainingPlan, Path]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    main("conll2003", data=data, encoder=str(encoder), epochs="2", seed=3, gpu_id="-1")
    ((plan, output),) = trained
    assert output == Path("training/config/conll2003")
    assert (plan.recipe.name, plan.seed, plan.gpu) == ("config", 3, -1)
    assert plan.schedule.epochs == 2
    assert capsys.readouterr().out.splitlines() == [
        "encoder: tiny-bert (a local folder)",
        "2 epochs of 1 steps, seed 3",
    ]


def test_a_paper_trains_on_its_own_encoder(
    data: Path,
    encoder: Path,
    trained: list[tuple[TrainingPlan, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: list[str] = []

    def resolve(name: str, **_: object) -> Encoder:
        names.append(name)
        return Encoder(name=name, path=encoder, reason="a test")

    monkeypatch.setattr(encoders, "resolve", resolve)
    for option in ("auto", "pip"):
        main("conll2003", paper="conll2003_bert_large", data=data, encoder=option, gpu_id="-1")
    assert names == ["bert-large-uncased", "pip"]
    plan, output = trained[0]
    assert output == Path("training/conll2003_bert_large/conll2003")
    assert plan.recipe.name == "conll2003_bert_large"
    assert plan.schedule.epochs == 3  # the paper's, not those for a small corpus


def test_the_printed_config_is_complete_and_alone_on_standard_output(
    data: Path,
    encoder: Path,
    tmp_path: Path,
    trained: list[tuple[TrainingPlan, Path]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    main(
        "conll2003",
        paper="mit_movie_bert_base",
        data=data,
        encoder=str(encoder),
        seed=3,
        gpu_id="-1",
        print_config=True,
    )
    assert trained == []
    printed = capfd.readouterr()
    assert "4 epochs of" in printed.err
    assert printed.out.startswith("# Recipe mit_movie_bert_base on conll2003.")
    path = tmp_path / "my.cfg"
    path.write_text(printed.out)
    config = util.load_config(path)
    assert config["paths"]["train"] == str(data / "conll2003" / "train.spacy")
    assert config["components"]["transformer"]["model"]["name"] == str(encoder)
    steps = config["training"]["max_steps"]
    assert steps == config["training"]["optimizer"]["learn_rate"]["total_steps"]
    filled: Config = util.load_model_from_config(config, auto_fill=True).config
    assert filled == config
    assert config.interpolate()["training"]["seed"] == 3


def test_an_unknown_paper_lists_the_papers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(monkeypatch, capsys, "train", "conll2003", "--paper", "bert")
    assert "expected one of conll2003_bert_base, conll2003_bert_large, mit_movie" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "configs/pos.cfg", "--paper", "gmb_pos_bert_base"], "only one of them"),
        (["--config", "configs/nothing.cfg"], "configs/nothing.cfg: cannot be used"),
        (["--encoder", "pip", "--epochs", "0"], 'expected "auto" or a whole number, 1 or more'),
        (["--encoder", "pip", "--gpu-id", "first"], 'expected "auto", -1 for the CPU'),
    ],
)
def test_wrong_options_are_explained(
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in fails(monkeypatch, capsys, "train", "conll2003", *options)
