"""A tiny model whose environment declares a layout."""

import numpy as np
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, make_model

from amp_sbx import ReferenceFeatures

LAYOUT = {"channels": ["a", "b"], "frames": 1}


class LaidOut(ProbeEnv):
    """Declares a layout. Its `amp_obs` do not count episodes, so every reset starts the same."""

    amp_layout = LAYOUT

    def amp(self, obs, actions):
        return np.stack([self.steps, actions[:, 0]], axis=1).astype(np.float32)


def amp_model(env=None, **kwargs):
    reference = ReferenceFeatures(REFERENCE, layout=LAYOUT)
    amp = SMALL_AMP | kwargs.pop("amp", {})
    return make_model(env or LaidOut(8, length=4), amp=amp, reference=reference, **kwargs)
