"""`wildrobot motion` build, retarget, loop and select: files in, clips and references out."""

import numpy as np
import pytest

from wildrobot_gym.cli.main import main
from wildrobot_gym.experiments.datasets import report_file
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.clip_names import without_images
from wildrobot_gym.motion.gait.build import walk_clip


def test_broken_files_are_named_and_the_others_retargeted(wildrobot, tmp_path, capsys):
    good, broken, out = tmp_path / "good.npz", tmp_path / "broken.csv", tmp_path / "out"
    walk_clip(wildrobot, 0.4).save(good)
    broken.write_text("nothing,of,use\n1,2,3\n")
    arguments = [
        "motion",
        "retarget",
        str(good),
        str(broken),
        str(tmp_path / "absent"),
        "--out",
        str(out),
    ]
    assert main(arguments) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "broken.csv" in said and "absent does not exist" in said
    clip = MotionClip.load(next(out.iterdir())).check(wildrobot)
    np.testing.assert_allclose(clip.joint_pos, walk_clip(wildrobot, 0.4).joint_pos, atol=1e-6)
    assert main(arguments[:3] + arguments[-2:]) == 1  # the clip is there already
    assert "overwrite it by --force" in " ".join(capsys.readouterr().out.split())
    assert main([*arguments[:3], *arguments[-2:], "--force"]) == 0


def test_walks_by_commands(wildrobot, tmp_path, capsys):
    out = tmp_path / "my.npz"
    arguments = ["motion", "build", "--commands", "0", "0", "0.3", "--hold", "0.8"]
    assert main([*arguments, "--out", str(out)]) == 0
    left, right = load_clips(out, wildrobot)
    np.testing.assert_allclose(left.commands.max(axis=0), [0, 0, 0.3], atol=1e-6)
    np.testing.assert_array_equal(right.commands, -left.commands)
    capsys.readouterr()
    assert main(arguments) == 2  # no file of its own
    assert "Name it with --out" in " ".join(capsys.readouterr().err.split())
    for wrong, said in (
        (["--kinds", "turns"], "Did you mean 'turn'"),
        (["--kinds", "turn", "--speeds", "0.3"], "Add walk to kinds"),
        (["--commands", "0", "0", "nan"], "finite"),
        (["--hold", "0"], "positive number of seconds"),
    ):
        assert main(["motion", "build", *wrong, "--out", str(tmp_path / "x.npz")]) == 2
        assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "x.npz").exists()


def test_datasets_are_joined(wildrobot, tmp_path, capsys):
    walk = walk_clip(wildrobot, 0.4)
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    save_clips(one, [walk])
    save_clips(two, [walk.mirrored(wildrobot)])
    out = tmp_path / "both.npz"
    assert main(["motion", "select", str(one), "*", "--add", str(two), "--out", str(out)]) == 0
    assert [c.name for c in load_clips(out, wildrobot)] == [walk.name, f"{walk.name}_mirrored"]
    again = ["motion", "select", str(one), "*", "--add", str(one), "--out", str(tmp_path / "x.npz")]
    assert main(again) == 2
    assert "rename them" in " ".join(capsys.readouterr().err.split())


def test_no_files_at_all(tmp_path, capsys):
    assert main(["motion", "retarget"]) == 2
    assert "Name the motion files" in capsys.readouterr().err
    assert main(["motion", "track", str(tmp_path / "absent.npz")]) == 2
    assert "absent.npz does not exist" in capsys.readouterr().err


def test_loop_makes_endless_variants(wildrobot, walks, mined, tmp_path, capsys):
    out = tmp_path / "loops.npz"
    assert (
        main(
            ["motion", "loop", walks, "--out", str(out), "--duration", "8", "--warps", "0.9", "1.0"]
        )
        == 0
    )
    assert "8 variants of 2 motions, 64 s" in capsys.readouterr().out
    clips = load_clips(out, wildrobot)
    assert {clip.motion_id for clip in clips} == {"walk_0.20_plain", "walk_0.30_plain"}
    assert main(["motion", "loop", walks, "--out", str(out)]) == 2
    assert "overwrite it by --force" in capsys.readouterr().err
    assert main(["motion", "loop", walks, walks, "--out", str(tmp_path / "twice.npz")]) == 2
    assert "Several clips are called" in capsys.readouterr().err
    # What is mined from a performance is no longer performed once it is looped.
    assert (
        main(["motion", "loop", str(mined), "--out", str(out), "--loops", "neutral", "--force"])
        == 0
    )
    capsys.readouterr()
    assert main(["motion", "analyze", str(out)]) == 0
    assert "NOT PERFORMED" in capsys.readouterr().out


def test_build_needs_a_file_for_other_walks(wildrobot, tmp_path, capsys):
    assert main(["motion", "build", "--speeds", "0.3"]) == 2
    assert "Name it with --out" in capsys.readouterr().err
    assert main(["motion", "build"]) == 2  # the shipped walks are kept without --force
    assert "walk_synthetic.npz exists" in capsys.readouterr().err
    out = tmp_path / "walks.npz"
    assert main(["motion", "build", "--speeds", "0.3", "--no-mirror", "--out", str(out)]) == 0
    assert [clip.command[0] for clip in load_clips(out, wildrobot)] == pytest.approx([0.3] * 3)
    assert main(["motion", "build", "--speeds", "0.3", "--out", str(out)]) == 2
    assert main(["motion", "build", "--speeds", "5", "--out", str(tmp_path / "fast.npz")]) == 2
    assert "allowed: 0.1 to 1.1 m/s" in capsys.readouterr().err


def test_select_writes_some_motions_into_a_new_dataset(walks, wildrobot, tmp_path, capsys):
    out = tmp_path / "slow.npz"
    clips = load_clips(walks, wildrobot)
    names = [clip.motion_id for clip in clips]
    assert len(set(names)) == 2
    assert main(["motion", "select", walks, names[0][:-1] + "?", "--out", str(out)]) == 0
    assert "s of 1 motions, in 1 segments" in capsys.readouterr().out
    (chosen,) = load_clips(out, wildrobot)
    assert chosen.description() == clips[0].description()
    np.testing.assert_array_equal(chosen.joint_pos, clips[0].joint_pos)
    np.testing.assert_array_equal(chosen.pad_forces, clips[0].pad_forces)
    before = out.read_bytes()
    assert (
        main(["motion", "select", walks, "*", "--out", str(out)]) == 2
        and out.read_bytes() == before
    )
    assert "overwrite it by --force" in " ".join(capsys.readouterr().err.split())
    assert (
        main(["motion", "select", walks, names[0], "runs_*", "--out", str(tmp_path / "none.npz")])
        == 2
    )
    assert f"Allowed: {', '.join(sorted(names))}" in " ".join(capsys.readouterr().err.split())
    assert main(["motion", "select", walks, "--out", str(tmp_path / "none.npz")]) == 2
    assert not (tmp_path / "none.npz").exists()
    report_file(out).write_text("{}")  # of how a dataset of that name was mined before
    assert main(["motion", "select", walks, "*", "--out", str(out), "--force"]) == 0
    assert len(load_clips(out, wildrobot)) == 2 and not report_file(out).exists()


def test_loop_does_not_mirror_twice(walks, wildrobot, tmp_path):
    pair, out = tmp_path / "pair.npz", tmp_path / "loops.npz"
    walk = load_clips(walks, wildrobot)[0]
    save_clips(pair, [walk, walk.mirrored(wildrobot)])
    arguments = [
        "motion",
        "loop",
        str(pair),
        "--out",
        str(out),
        "--duration",
        "4",
        "--warps",
        "1.0",
        "--force",
    ]
    for more, originals in (
        ((), 1),
        (("--no-mirror",), 2),
    ):  # variants of two clips, which may have been turned alike
        assert main([*arguments, *more]) == 0
        clips = load_clips(out, wildrobot)
        assert len(clips) == len({clip.name for clip in clips}) == 2
        assert len(without_images(clips)) == originals  # loops, too, may be looped or performed


def test_options_of_reading_are_on_every_command_that_reads(wildrobot, tmp_path, capsys):
    """A clip in centimeters without a frame rate, of which a part is wanted."""
    walk = walk_clip(wildrobot, 0.3)
    rows = np.concatenate(
        [100.0 * walk.root_pos, walk.root_quat[:, [1, 2, 3, 0]], walk.joint_pos], axis=1
    )
    path = tmp_path / "walk.csv"
    np.savetxt(path, rows, delimiter=",")
    reading = ["--fps", "50", "--scale", "0.01", "--start", "0.1", "--end", "3.1"]
    reading += ["--source", "my lab", "--license", "CC0"]
    out = tmp_path / "out"
    assert main(["motion", "retarget", str(path), "--out", str(out), *reading]) == 0
    clip = MotionClip.load(out / "walk.npz")
    assert (clip.num_frames, clip.source, clip.licence) == (151, "my lab", "CC0")
    np.testing.assert_allclose(clip.root_pos, walk.root_pos[5:156], atol=1e-6)
    assert "my lab" not in capsys.readouterr().err
    loops = tmp_path / "loops.npz"
    british = [word.replace("license", "licence") for word in reading]
    assert main(["motion", "loop", str(path), "--out", str(loops), "--no-mirror", *british]) == 0
    assert {clip.source for clip in load_clips(loops, wildrobot)} == {"my lab"}
    capsys.readouterr()
    for command in ("retarget", "loop", "track", "harness", "play"):
        with pytest.raises(SystemExit, match="2"):
            main(["motion", command, str(path), "--up", "sideways"])
        said = " ".join(capsys.readouterr().err.replace("│", " ").split())
        assert "sideways" in said and "-x, -y, -z, x, y, z" in said
        assert main(["motion", command, str(path), "--no-level", "--facing=-y"]) == 2
        assert "pass fps" in " ".join(capsys.readouterr().err.split())
