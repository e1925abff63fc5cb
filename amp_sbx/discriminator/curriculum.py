"""`amp.reintroduce`: channels that the discriminator is kept from seeing until the policy is ready for them.

A feature that gives a beginner away (velocities, contacts) makes an untrained policy's style reward flat. Masked, it is at the
reference's mean for both sides, 0 once normalised, so that the network's shape stays and its other inputs mean what they meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from amp_sbx.common.errors import FeatureError
from amp_sbx.discriminator.config_sections import Stage
from amp_sbx.reference.layout import feature_columns


@dataclass(frozen=True)
class Reintroduction:
    """The stages with the columns of `amp_obs` that belong to each. What is in is remembered by the mask alone."""

    stages: Sequence[Stage]
    columns: Sequence[Bool[np.ndarray, " feature"]]

    @classmethod
    def of(cls, stages: Sequence[Stage], layout: Any, feature_dim: int) -> "Reintroduction":
        """Raises `FeatureError` where the layout has no such channels, or where nothing would be left to see at first."""
        columns = [feature_columns(layout, stage.channels, feature_dim) for stage in stages]
        if stages and np.any(columns, axis=0).all():
            raise FeatureError(
                "amp.reintroduce masks every channel of the layout: the discriminator would see nothing. Leave one out of it."
            )
        return cls(tuple(stages), columns)

    def first_mask(self, feature_dim: int) -> Float[np.ndarray, " feature"]:
        """1 for what is seen from the beginning, 0 for what a stage brings in."""
        hidden = np.any(self.columns, axis=0) if self.stages else np.zeros(feature_dim, bool)
        return np.where(hidden, 0.0, 1.0).astype(np.float32)

    def due(
        self,
        mask: Float[np.ndarray, " feature"],
        num_timesteps: int,
        figures: Mapping[str, float],
        ready: bool,
    ) -> tuple[Float[np.ndarray, " feature"], list[Stage]]:
        """The mask with every stage let in whose time has come, and those stages.

        Args:
            figures: smoothed, see `Triggers`; they count once `ready`, when there are enough of them.
        """
        new, let_in = mask.copy(), []
        for stage, columns in zip(self.stages, self.columns, strict=True):
            if stage.due(num_timesteps, figures if ready else None) and not mask[columns].all():
                new[columns] = 1.0
                let_in.append(stage)
        return new, let_in
