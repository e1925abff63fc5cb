"""A policy knows the motion that it learned from by its content, not by its name."""

import io

import pytest
from rich.console import Console
from run_helpers import NO_EVAL, SMALL, refused

from wildrobot_gym.cli.main import main
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.style_eval import prepare_style
from wildrobot_gym.motion.clip_files import save_clips
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.policy import load_policy
from wildrobot_gym.training.run_directory import RunDirectory


@pytest.fixture(scope="module")
def walks(wildrobot):
    return [walk_clip(wildrobot, speed) for speed in (0.2, 0.3, 0.4)]


@pytest.fixture(scope="module")
def own(walks, tmp_path_factory):
    """A run on a new reference: the reference's file, the run's directory, the arguments."""
    folder = tmp_path_factory.mktemp("own")
    reference, run = folder / "own.npz", folder / "run"
    save_clips(reference, walks)
    settings = [*SMALL[1:], *NO_EVAL[1:], f"amp.reference={reference}", "n_timesteps=64"]
    arguments = ["train", "smoke", "--set", *settings]
    assert main([*arguments, "--out", str(run)]) == 0
    return reference, run, arguments


@pytest.fixture(scope="module")
def policy(own):
    return load_policy(own[1])


def test_a_reference_that_was_made_again_is_not_the_old_one(own, policy, walks, tmp_path, capsys):
    """Its name is the same. Without the digest, a run would silently continue with other motion."""
    reference, run, arguments = own
    resumed = [*arguments, "--set", "n_timesteps=128", "--out", str(run), "--resume"]
    before = reference.read_bytes()
    copy = tmp_path / "copy.npz"
    copy.write_bytes(before)
    assert policy.learned_from(copy) and policy.learned_from(reference)

    save_clips(reference, walks[:2])
    try:
        message = refused(capsys, *resumed)
        assert "learned from another file" in message and "own.npz" in message
        console = Console(width=10_000, file=io.StringIO())
        assert prepare_style(policy, None, ConsoleReporter(console)).held_out is None
        assert "not the one it was trained with" in console.file.getvalue()
        # The middle one, as it was in training.
        assert prepare_style(policy, str(copy), ConsoleReporter(console)).held_out
    finally:
        reference.write_bytes(before)
    directory = RunDirectory(run)
    config = run_config.from_mapping(directory.read_config())
    directory.check_motions(config, directory.checkpoints()[-1])
    assert main(resumed) == 0


def test_held_out_is_what_was_not_learned_from(policy, walks, tmp_path):
    """Of three walks the second is held out, whatever file it is in."""
    part = tmp_path / "part.npz"
    console = Console(width=10_000, file=io.StringIO())
    test = prepare_style(policy, None, ConsoleReporter(console))
    assert test.held_out
    assert {clip.motion_id for clip in test.reference.clips} == {"walk_0.30_plain"}
    for chosen, held_out in (
        ([walks[0]], False),
        ([walks[1]], True),
        ([walks[0], walks[1]], False),
    ):
        save_clips(part, chosen)
        assert prepare_style(policy, str(part), ConsoleReporter(console)).held_out is held_out
