"""Datasets and their reports, and the parts of a probe that need no training."""

from dataclasses import replace

import pytest

from wildrobot_gym.errors import MotionError
from wildrobot_gym.experiments import datasets, probe
from wildrobot_gym.experiments.datasets import report_file, write_dataset
from wildrobot_gym.experiments.motion import play as motion_play
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.motion.mining import Gates, MiningReport


def test_a_failed_write_keeps_the_older_report(tmp_path, monkeypatch):
    def full(*_):
        raise MotionError("no space left")

    out = tmp_path / "mined.npz"
    report_file(out).write_text("the older one's")
    monkeypatch.setattr(datasets, "save_clips", full)
    with pytest.raises(MotionError, match="no space"):
        write_dataset(out, MiningReport((), (), Gates()), [object()])
    assert report_file(out).read_text() == "the older one's"


def test_no_segments_keep_the_older_dataset(tmp_path):
    out = tmp_path / "mined.npz"
    out.write_text("the older one")
    report_file(out).write_text("its report")
    with pytest.raises(MotionError, match=r"Not one window passed the gates.*is unchanged"):
        write_dataset(out, MiningReport((), (), Gates()), [])
    assert out.read_text() == "the older one" and report_file(out).read_text() == "its report"


def test_whole_motions_are_held_out(wildrobot):
    walk = walk_clip(wildrobot, 0.2)
    parts = [replace(walk, metadata={"motion_id": f"m{i // 2}"}) for i in range(20)]
    learned, held_out = probe.hold_out(parts)
    assert {clip.motion_id for clip in held_out} == {"m3", "m6"} and len(learned) == 16
    learned, held_out = probe.hold_out(parts[:4])
    assert {clip.motion_id for clip in held_out} == {"m0"} and len(learned) == 2
    learned, held_out = probe.hold_out(parts[:2])
    assert held_out is learned


@pytest.mark.parametrize(
    ("auc", "variance", "passed", "advice"),
    [
        (0.75, 0.08, True, "Continue"),
        (0.95, 0.08, False, "too easily"),
        (0.55, 0.08, False, "cannot tell"),
        (0.75, 0.01, False, "nearly constant"),
        (float("nan"), 0.08, False, "not finite"),
    ],
)
def test_bounds_of_the_probe(auc, variance, passed, advice):
    verdict = probe.DiscriminatorMetrics(auc, 0.5, variance)
    assert verdict.passed is passed and advice in verdict.advice


def test_play_shows_the_plainest_clip(wildrobot):
    walk = walk_clip(wildrobot, 0.3)
    plain = {"loop": "cycle", "warp": 1.0, "turn": 0.0, "mirrored": False, "start_s": 0.0}
    clips = [
        replace(
            walk, name="a", metadata={"motion_id": "walk", "variant": {**plain, "mirrored": True}}
        ),
        replace(walk, name="b", metadata={"motion_id": "walk", "variant": plain, "first_step": 50}),
        replace(walk, name="c", metadata={"motion_id": "walk", "variant": plain, "first_step": 0}),
    ]
    assert motion_play.plainest_clip(clips, "walk", "x").name == "c"
    assert motion_play.plainest_clip(clips, "a", "x").name == "a"
