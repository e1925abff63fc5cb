"""How punctual a run was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wildrobot_gym.deploy.log import POLICY

MEASURED = {
    "late": "begins after its time",
    "latency": "sensors to targets",
    "age": "age of the sensors",
}


def timing(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Median, 99th percentile and maximum of the steps under the policy, ms.

    Args:
        arrays: A log's arrays.

    Returns:
        For `late` (a step begins after its time), `latency` (from reading the sensors to sending
        the targets) and `age` (of the sensors): `p50`, `p99` and `max`.
    """
    rows = arrays["phase"] == POLICY
    if not rows.any():
        return {}
    found = {}
    for name in MEASURED:
        p50, p99, most = (float(v) for v in 1e3 * np.percentile(arrays[name][rows], [50, 99, 100]))
        found[name] = {"p50": p50, "p99": p99, "max": most}
    return found
