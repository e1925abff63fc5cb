"""`amp.reintroduce`: channels that the discriminator does not see until the policy is ready.

A channel that gives an untrained policy away (velocities, contacts) flattens its style reward. A
hidden channel is set to the reference's mean, which is 0 after normalization, on both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from amp_sbx.common.errors import FeatureError
from amp_sbx.discriminator.stages import Stage
from amp_sbx.reference.layout import channel_columns


@dataclass(frozen=True)
class Curriculum:
    """The stages and the columns of `amp_obs` that each reveals.

    It holds no state: the mask says what is visible.

    Attributes:
        stages: the stages of `amp.reintroduce`.
        columns: a (feature,) mask of each stage's columns.
    """

    stages: Sequence[Stage]
    columns: Sequence[Bool[np.ndarray, " feature"]]

    @classmethod
    def of(cls, stages: Sequence[Stage], layout: Any, feature_dim: int) -> "Curriculum":
        """The curriculum of `stages` for AMP observations of a layout.

        Raises:
            FeatureError: the layout has no such channel, or every channel would be hidden.
        """
        columns = [channel_columns(layout, stage.channels, feature_dim) for stage in stages]
        if stages and np.any(columns, axis=0).all():
            raise FeatureError(
                "amp.reintroduce hides every channel of the layout, so the discriminator would "
                "see nothing. Remove at least one channel from amp.reintroduce."
            )
        return cls(tuple(stages), columns)

    def first_mask(self, feature_dim: int) -> Float[np.ndarray, " feature"]:
        """1 for columns that are visible from the start, 0 for those of any stage."""
        hidden = np.any(self.columns, axis=0) if self.stages else np.zeros(feature_dim, bool)
        return np.where(hidden, 0.0, 1.0).astype(np.float32)

    def due(
        self,
        mask: Float[np.ndarray, " feature"],
        num_timesteps: int,
        metrics: Mapping[str, float],
        ready: bool,
    ) -> tuple[Float[np.ndarray, " feature"], list[Stage]]:
        """The mask after revealing every stage that is due, and those stages.

        Args:
            mask: the current mask.
            num_timesteps: environment steps so far.
            metrics: smoothed metrics for `Triggers`.
            ready: whether there are enough iterations to trust `metrics`.
        """
        new, revealed = mask.copy(), []
        for stage, columns in zip(self.stages, self.columns, strict=True):
            if stage.due(num_timesteps, metrics if ready else None) and not mask[columns].all():
                new[columns] = 1.0
                revealed.append(stage)
        return new, revealed
