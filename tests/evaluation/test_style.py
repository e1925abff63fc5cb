"""Style metrics of a robot that stands, and of a reference compared with itself."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.evaluation import benchmark as protocol
from wildrobot_gym.evaluation import style, two_sample
from wildrobot_gym.evaluation.style import (
    StyleReference,
    measure_style,
    spread_commands,
    spread_speeds,
    style_env,
)
from wildrobot_gym.motion.clip_files import load_clips


@pytest.fixture(scope="module")
def clips(wildrobot):
    return load_clips("walk", wildrobot)


def of_speed(clip, speed: float, motion: str):
    return replace(clip, command=(speed, 0.0, 0.0), metadata={"motion_id": motion})


def test_other_motions_have_similar_speed(clips):
    speeds = {"a": 0.3, "b": 0.34, "c": 0.36, "stand": 0.0}
    made = [of_speed(clips[0], speed, motion) for motion, speed in speeds.items()]
    reference = StyleReference.choose(made, ["a", "stand"])
    assert [c.motion_id for c in reference.clips] == ["a"] and [
        c.motion_id for c in reference.others
    ] == ["b"]
    assert reference.description() == {"motions": ["a"], "speeds": [0.3]}
    with pytest.raises(MotionError, match=r"No clip of stand walks at 0\.1 m/s"):
        StyleReference.choose(made, ["stand"])


def test_turns_are_held_against_turns(clips):
    """Of each other kind the chosen motions count, or all of that kind; varied ones never do."""
    commands = {
        "walk": (0.3, 0.0, 0.0),
        "left": (0.0, 0.0, 0.3),
        "right": (0.0, 0.0, -0.3),
        "side": (0.0, 0.1, 0.0),
        "stand": (0.0, 0.0, 0.0),
    }
    made = [
        replace(clips[0], command=command, metadata={"motion_id": motion})
        for motion, command in commands.items()
    ]
    jumps = np.repeat([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]], clips[0].num_frames // 2, axis=0)
    made.append(replace(made[0], commands=jumps, metadata={"motion_id": "start"}))
    reference = StyleReference.choose(made, ["walk", "left"])
    names = {kind: [c.motion_id for c in of_kind] for kind, of_kind in reference.kinds.items()}
    assert names == {"turn": ["left"], "sideways": ["side"]}
    assert [c.motion_id for c in reference.clips] == ["walk"]
    np.testing.assert_allclose(
        spread_commands(made[1:3], 4), [[0, 0, -0.3], [0, 0, -0.3], [0, 0, 0.3], [0, 0, 0.3]]
    )


def test_each_speed_is_as_frequent_as_its_frames(clips):
    long = max(clips, key=lambda c: c.num_frames)
    short = replace(
        long,
        **{
            n: getattr(long, n)[:50]
            for n in ("root_pos", "root_quat", "joint_pos", "pad_forces", "qvel")
        },
    )
    speeds = spread_speeds([of_speed(long, 0.4, "a"), of_speed(short, 0.2, "b")], 5)
    assert long.num_frames == 200 and speeds.tolist() == [0.2, 0.4, 0.4, 0.4, 0.4]
    slow = replace(short, fps=12.5)  # its 50 frames last as long as the other's 200
    mixed = [of_speed(long, 0.4, "a"), of_speed(slow, 0.2, "a")]
    assert spread_speeds(mixed, 4).tolist() == [0.2, 0.2, 0.4, 0.4]
    assert StyleReference(mixed, []).description()["speeds"] == [pytest.approx(0.3)]


def test_standing_has_no_cycle_and_a_reference_equals_itself(clips, monkeypatch):
    monkeypatch.setattr(style, "EPISODES", 4)
    monkeypatch.setattr(two_sample, "STEPS", 200)
    monkeypatch.setattr(
        protocol, "DURATION_S", 3.2
    )  # as in test_benchmark, so that the environment compiles once
    walks = [clip for clip in clips if clip.motion_id == "walk_0.40_plain"]
    with closing(style_env({})) as env:
        metrics = measure_style(
            lambda obs: np.zeros((len(obs), 9), np.float32),
            env,
            StyleReference(walks, walks, {"turn": walks[:1]}),
            rewards=lambda windows: np.full(len(windows), 0.25),
            seed=3,
        )
    metrics = json.loads(json.dumps(metrics, allow_nan=False))
    assert metrics["two_sample_auc"]["mean"] > 0.99 and metrics["two_sample_auc"]["n"] == 4
    assert (
        metrics["seed"] == 3
        and metrics["dtw"]["mean"] is None
        and metrics["frechet"]["mean"] is None
    )
    assert metrics["amp_reward"]["mean"] == 0.25
    turn = metrics["kinds"]["turn"]  # has its own episodes
    assert turn["motions"] == ["walk_0.40_plain"] and turn["two_sample_auc"]["mean"] > 0.99
    itself = metrics["other_motions"]
    assert itself["dtw"]["mean"] == itself["frechet"]["mean"] == 0.0
    assert itself["two_sample_auc"]["mean"] == pytest.approx(0.5, abs=0.1)
    assert itself["motions"] == metrics["motions"] == ["walk_0.40_plain"]
