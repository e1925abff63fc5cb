"""What the doctor says about a GPU, and about JAX, torch and CUDA that do not fit."""

import sys

import pytest

from wildrobot_gym.errors import WildRobotError
from wildrobot_gym.experiments import accelerators
from wildrobot_gym.experiments.accelerators import CudaStack, cuda_stack

GPU = ("NVIDIA H200",)


@pytest.mark.parametrize(
    ("stack", "platform", "said"),
    [
        (CudaStack((), None, None), "cpu", "none is needed. An NVIDIA GPU would run learning"),
        (CudaStack((), None, 12), "cpu", "torch carries CUDA 12, gigabytes that nothing here uses"),
        (CudaStack(GPU, 13, 13), "gpu", "NVIDIA H200, CUDA 13: learning and physics run there"),
        (CudaStack(GPU, 13, None), "gpu", "NVIDIA H200, CUDA 13"),
        (CudaStack((), None, None), "tpu", "tpu: learning and physics"),
    ],
)
def test_what_a_gpu_changes(stack: CudaStack, platform: str, said: str) -> None:
    assert said in stack.advice(platform)


@pytest.mark.parametrize(
    ("stack", "platform", "wrong", "typed"),
    [
        (CudaStack(GPU, 13, 12), "gpu", "JAX is for CUDA 13 and torch for CUDA 12", "[cuda]"),
        (CudaStack(GPU, 13, 13), "cpu", "does not use the NVIDIA H200", "JAX_PLATFORMS"),
        (CudaStack(GPU, None, 12), "cpu", "JAX does not use the NVIDIA H200", "[cuda]"),
    ],
)
def test_what_does_not_fit(stack: CudaStack, platform: str, wrong: str, typed: str) -> None:
    with pytest.raises(WildRobotError) as error:
        stack.advice(platform)
    assert wrong in str(error.value) and typed in str(error.value)


def test_what_is_installed_is_found(tmp_path, monkeypatch) -> None:
    for index, model in enumerate(("NVIDIA H200", "NVIDIA GeForce RTX 5090")):
        folder = tmp_path / "driver" / "gpus" / f"0000:0{index}:00.0"
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 0\n")
    plugin = tmp_path / "site" / "jax_cuda13_plugin-0.10.2.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Name: jax-cuda13-plugin\nVersion: 0.10.2\n")
    torch = tmp_path / "site" / "torch"
    torch.mkdir()
    (torch / "__init__.py").touch()
    version = torch / "version.py"
    monkeypatch.setattr(accelerators, "DRIVER", tmp_path / "driver")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "torch", raising=False)

    models = ("NVIDIA H200", "NVIDIA GeForce RTX 5090")
    for line, cuda in (
        ("cuda: Optional[str] = None", None),
        ("cuda: Optional[str] = '12.8'", 12),
        ("cuda = '13.0'", 13),
    ):
        version.write_text(f"__version__ = '2.15.0'\n{line}\nhip = None\n")
        assert cuda_stack() == CudaStack(models, 13, cuda)
