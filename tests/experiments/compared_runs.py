"""Made-up runs of robots that stand, and a reader of HTML pages."""

import html.parser

import numpy as np

from wildrobot_gym.evaluation.benchmark import WalkResult
from wildrobot_gym.evaluation.metrics import episode_metrics
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.experiments.compare.run import ComparedRun
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training.policy import LoadedPolicy

HOSTILE = "<script src=https://evil.example/x.js>alert('&\"')</script>"
VOID = {"meta", "link", "br", "img"}


class Reader(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects tags, attributes and ids."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids = [], set(), [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


class Model:
    num_timesteps = 1234
    extra: dict = {}  # noqa: RUF012


def made_up(tmp_path, name, robot="wildrobot", slip=0.0, clips=(), **more):
    """A run that stands: 8 episodes at each of two commands. Its feet slide with `slip` m/s."""
    model = RobotModel.load(robot)
    shape, feet = (260, 16), len(model.foot_names)
    wide = {"base_pos_w": 3, "base_lin_vel_w": 3, "base_ang_vel": 3}
    arrays = {key: np.zeros((*shape, width)) for key, width in wide.items()}
    arrays |= {
        key: np.zeros((*shape, model.num_joints))
        for key in ("joint_pos", "joint_vel", "torque", "action")
    }
    arrays |= {
        "alive": np.ones(shape, bool),
        "yaw": np.zeros(shape),
        "tilt": np.zeros(shape),
        "foot_pos_w": np.zeros((*shape, feet, 3)),
    }
    arrays |= {
        "foot_force": np.full((*shape, feet), 16.0),
        "foot_speed": np.full((*shape, feet), slip),
    }
    recording = Recording(**arrays, sole_height=np.zeros((*shape, feet)))
    metrics = episode_metrics(recording, np.zeros(16), model)
    result = WalkResult((0.0, 0.4), 8, 1, metrics, recording, model, 0.02)
    policy = LoadedPolicy(tmp_path / f"{name[:3]}.zip", Model(), {"robot": robot})
    known = {
        "config": {},
        "curves": {},
        "verdicts": None,
        "reference": None,
        "clips": list(clips),
        "missing": (),
    }
    return ComparedRun(
        name,
        policy,
        result,
        result.to_json() | {"backend": "native"} | more.pop("results", {}),
        **known | more,
    )
