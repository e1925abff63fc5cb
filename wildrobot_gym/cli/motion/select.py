"""`wildrobot motion select`."""

from __future__ import annotations

from pathlib import Path

from wildrobot_gym.console.error_handling import Text, Texts


def select(
    dataset: Text,
    motions: Texts,
    /,
    out: Path,
    add: tuple[str, ...] = (),
    robot: str | None = None,
    force: bool = False,
) -> int:
    """Write motions of one or more datasets into a new one.

    Args:
        dataset: Reference file or the name of a shipped one.
        motions: Names of motions; * and ? stand for any letters, as in '02_*'.
        out: File for the new dataset, .npz.
        add: More datasets of the same robot; all their motions are added.
        robot: Folder with the robot.yaml, for a dataset of a robot that is not shipped.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.experiments.motion.select import select_motions

    written = select_motions(dataset, motions, out, add=add, robot=robot, overwrite=force)
    print(
        f"{written.path}: {written.seconds:.1f} s of {len(written.motions)} motions,"
        f" in {len(written.clips)} segments"
    )
    return 0
