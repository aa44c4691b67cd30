import pytest

from bert_ner.devices import choose_gpu, explain_mismatch, use_device
from bert_ner.errors import InputError


def test_cpu() -> None:
    assert choose_gpu("-1") == -1


def test_auto_is_the_cpu_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert choose_gpu("auto") == -1
    with pytest.raises(InputError, match="sees no GPU"):
        choose_gpu("0")


@pytest.mark.parametrize("gpu_id", ["gpu", "-2", "0.5", ""])
def test_nonsense(gpu_id: str) -> None:
    with pytest.raises(InputError, match="expected"):
        choose_gpu(gpu_id)


@pytest.mark.parametrize(
    ("torch_cuda", "cupy_cuda", "message"),
    [
        ("12.8", 12090, None),
        ("13.0", 13000, None),
        ("13.0", 12090, "CuPy is built for CUDA 12 and PyTorch for CUDA 13.0"),
        ("12.8", None, "make run EXTRA=cuda12"),
    ],
)
def test_mismatch(torch_cuda: str, cupy_cuda: int | None, message: str | None) -> None:
    problem = explain_mismatch(torch_cuda, cupy_cuda)
    assert problem is None if message is None else message in str(problem)


def test_mismatch_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setattr("bert_ner.devices._cupy_cuda", lambda: 12090)
    with pytest.raises(InputError, match="cannot share a GPU"):
        choose_gpu("auto")
    monkeypatch.setattr("bert_ner.devices._cupy_cuda", lambda: 13000)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert choose_gpu("auto") == 0
    assert choose_gpu("1") == 1
    with pytest.raises(InputError, match="there are 2 GPUs"):
        choose_gpu("2")


def test_spacy_and_pytorch_share_a_gpu_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("thinc.api.require_gpu", asked.append)
    monkeypatch.setattr("thinc.api.set_gpu_allocator", asked.append)
    assert use_device(-1).type == "cpu"
    assert asked == []
    assert str(use_device(1)) == "cuda:1"
    assert asked == [1, "pytorch"]


def test_auto_is_the_cpu_without_cupy_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.version.cuda", "13.0")
    monkeypatch.setattr("bert_ner.devices._cupy_cuda", lambda: None)
    assert choose_gpu("auto") == -1
    assert "make run EXTRA=cuda13" in caplog.text
    with pytest.raises(InputError, match="needs CuPy"):
        choose_gpu("0")
