"""A program of the tests: one of several processes that train on point masses together.

Arguments: the coordinator's address, the number of processes, this one's number, a folder and the
iterations. With a sixth, this process ends without a word after so many iterations.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "amp_sbx"))

import numpy as np
from functional_envs import ITERATION, PointMass, point_model
from stable_baselines3.common.callbacks import BaseCallback

from wildrobot_gym.console.error_handling import exit_code_of
from wildrobot_gym.training.processes import agreed, is_leader, joined, lost_processes_named


class Die(BaseCallback):
    """Kills this process after a number of iterations."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def _on_step(self):
        if self.n_calls == self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def main(address, number, own, folder, iterations, die_after=None):
    with joined(address, int(number), int(own)), lost_processes_named(folder):
        model = point_model(PointMass(), learning_rate=1e-3)
        model.learn(int(iterations) * ITERATION, Die(int(die_after)) if die_after else None)
        model.gather_environments()
        # A signal to one process stops all.
        assert agreed(signal.SIGTERM if own == "1" else None) == signal.SIGTERM
        if is_leader():
            model.save(Path(folder) / "together.zip")
            np.save(Path(folder) / "obs.npy", model._last_obs)
    return 0


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: main(*sys.argv[1:]), "two_processes"))
