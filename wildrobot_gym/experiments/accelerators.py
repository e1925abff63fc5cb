"""Which GPU there is, and whether JAX, torch and CUDA fit each other; neither is imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from wildrobot_gym.errors import WildRobotError

DRIVER = Path("/proc/driver/nvidia")
INSTALL = "pip install 'wildrobot[cuda]'"


@dataclass(frozen=True)
class CudaStack:
    """What of CUDA is on this machine.

    Attributes:
        gpus: Models of the NVIDIA GPUs.
        jax: CUDA's major version that JAX's plugin is for; None without a plugin.
        torch: CUDA's major version that torch was built for; None for a build for the CPU, or
            without torch.
    """

    gpus: tuple[str, ...]
    jax: int | None
    torch: int | None

    def advice(self, jax_platform: str) -> str:
        """What a GPU changes here, and whether the packages fit.

        Args:
            jax_platform: Platform of JAX's default device, such as "cpu" or "gpu".

        Raises:
            WildRobotError: They do not fit, or a GPU is not used. The message says what to type.
        """
        if self.jax and self.torch and self.jax != self.torch:
            raise WildRobotError(
                f"JAX is for CUDA {self.jax} and torch for CUDA {self.torch}, which can crash in"
                f" one process. {INSTALL} installs one CUDA for both."
            )
        if jax_platform != "cpu":
            cuda = f", CUDA {self.jax}" if self.jax else ""
            return f"{', '.join(self.gpus) or jax_platform}{cuda}: learning and physics run there"
        if self.gpus and self.jax:
            raise WildRobotError(
                f"JAX has its CUDA {self.jax} plugin, and does not use the {self.gpus[0]}. Unset"
                " JAX_PLATFORMS and CUDA_VISIBLE_DEVICES, or update NVIDIA's driver."
            )
        if self.gpus:
            raise WildRobotError(f"JAX does not use the {self.gpus[0]}. {INSTALL}")
        unused = (
            ""
            if not self.torch
            else (
                f" torch carries CUDA {self.torch}, gigabytes that nothing here uses: install"
                " PyTorch's CPU build to save them."
            )
        )
        return (
            "none, and none is needed. An NVIDIA GPU would run learning and physics:"
            f" {INSTALL}.{unused}"
        )


def cuda_stack() -> CudaStack:
    """What of CUDA is on this machine."""
    return CudaStack(_gpus(), _jax_cuda(), _torch_cuda())


def _gpus() -> tuple[str, ...]:
    """Models of the GPUs that NVIDIA's driver knows."""
    texts = [file.read_text() for file in sorted(DRIVER.glob("gpus/*/information"))]
    return tuple(m[1] for text in texts if (m := re.search(r"^Model:\s*(.+?)\s*$", text, re.M)))


def _jax_cuda() -> int | None:
    plugins = [d.name for d in importlib.metadata.distributions() if d.name]
    versions = [int(m[1]) for name in plugins if (m := re.fullmatch(r"jax-cuda(\d+)-plugin", name))]
    return max(versions, default=None)


def _torch_cuda() -> int | None:
    """From torch's file of versions, as its import takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = (Path(spec.origin).parent / "version.py").read_text()
    match = re.search(r"^cuda\b.*?= *'(\d+)", text, re.M)
    return int(match[1]) if match else None
