"""Motions side by side on a page in the browser: robot clips, and the humans they come from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float

from wildrobot_gym.experiments.motion.play import plainest_clip
from wildrobot_gym.experiments.motion.settings import PlaySettings
from wildrobot_gym.experiments.motion.sources import read_motions
from wildrobot_gym.experiments.settings import PageSettings
from wildrobot_gym.experiments.view.controls import Controls, add_pause, add_speeds, play
from wildrobot_gym.experiments.view.stage import RobotFigure, Segments, Stage, as_markdown
from wildrobot_gym.experiments.view.view import stopped_after
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.robot import RobotModel

PERIOD = 0.02  # s between two pictures
LANE = 0.6  # m between two motions
HUMAN_COLOR = (110, 70, 180)
_LEG = ("hip", "knee", "ankle", "toe")
_ARM = ("torso", "shoulder", "elbow", "wrist")
BONES = (
    ("pelvis", "torso"),
    ("torso", "head"),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in pairwise(_LEG)),
    *(("pelvis", f"{side}_hip") for side in ("left", "right")),
    *(
        (a if a == "torso" else f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in pairwise(_ARM)
    ),
)
_WALKED = 0.3  # m: a human who goes farther is turned to go along +x


@dataclass(frozen=True)
class Track:
    """One motion of the page.

    Attributes:
        name: What the page calls it.
        duration: s from its first frame to its last.
        qpos: (time, nq) poses of a robot; None for a human.
        bones: (time, bone, 2, 3) ends of a human's bones in the robot's size, m; None for a robot.
    """

    name: str
    duration: float
    qpos: Float[np.ndarray, "time nq"] | None = None
    bones: Float[np.ndarray, "time bone 2 3"] | None = None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.qpos if self.qpos is not None else self.bones)  # type: ignore[arg-type]


def robot_track(clip: MotionClip, file: str) -> Track:
    """A clip that begins at the origin."""
    root = clip.root_pos - np.array([*clip.root_pos[0, :2], 0.0])
    qpos = np.concatenate([root, clip.root_quat, clip.joint_pos], axis=1).astype(float)
    return Track(f"{clip.name} ({Path(file).name})", clip.duration_s, qpos=qpos)


def human_track(human: HumanMotion, leg_length: float, duration: float) -> Track:
    """A human in the robot's size, who begins at the origin and goes along +x.

    Args:
        human: The motion.
        leg_length: The robot's, m.
        duration: s that the robot takes for the motion: it has shorter legs and quicker steps.
    """
    hip, knee, ankle = (human.position(f"left_{joint}")[0] for joint in _LEG[:3])
    leg = np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle)
    pelvis = human.position("pelvis")
    way = pelvis[-1, :2] - pelvis[0, :2]
    turn = -np.arctan2(way[1], way[0]) if np.linalg.norm(way) > _WALKED else 0.0
    c, s = np.cos(turn), np.sin(turn)
    points = human.positions - np.array([*pelvis[0, :2], human.positions[..., 2].min()])
    points = points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) * (leg_length / leg)
    known = [(a, b) for a, b in BONES if a in human.body_names and b in human.body_names]
    ends = [[human.body_names.index(body) for body in bone] for bone in known]
    return Track(f"{human.name} (human)", duration, bones=points[:, np.array(ends)])


def tracks_of(
    robot: RobotModel, files: Sequence[str], settings: PlaySettings
) -> tuple[list[Track], dict[str, str]]:
    """The motions of files, each human beside the robot clip made from it.

    Args:
        robot: The robot.
        files: Clips, datasets and human motion.
        settings: The motion to choose.

    Returns:
        The tracks, and the reason for each input that was left out.

    Raises:
        MotionError: There is nothing to show.
    """
    options, motion = ImportOptions(robot=settings.robot), settings.motion
    tracks, skipped = list[Track](), dict[str, str]()
    for file in files:
        read = read_motions(robot, [file], options)
        skipped |= read.skipped
        motion = motion or read.clips[0].motion_id
        clip = plainest_clip(read.clips, motion, file)
        if clip.name in read.humans:
            human = read.humans[clip.name]
            tracks.append(human_track(human, robot.leg_length, clip.duration_s))
        tracks.append(robot_track(clip, file))
    return tracks, skipped


class MotionPage:
    """The page, with a scrubber. `run` plays until the controls say stop.

    Args:
        robot: The robot of the clips.
        tracks: What to show, from left to right.
        host: Address to listen on.
        port: Port; the next free one where it is taken.

    Attributes:
        controls: What the buttons set.
        stage: The scene and its server.
        scrubber: Slider of the time, s.
    """

    def __init__(self, robot: RobotModel, tracks: Sequence[Track], host: str, port: int) -> None:
        self.controls, self.stage, self._tracks = Controls(), Stage(host, port), list(tracks)
        self.duration = max(track.duration for track in tracks)
        self._time = 0.0
        self._figures: list[RobotFigure | Segments] = []
        for number, track in enumerate(tracks):
            name = f"motion{number}"
            if track.bones is None:
                self._figures.append(RobotFigure(self.stage, name, robot))
            else:
                self._figures.append(Segments(self.stage, name, HUMAN_COLOR))
        gui = self.stage.server.gui
        lanes = [f"{number + 1}. {as_markdown(track.name)}" for number, track in enumerate(tracks)]
        gui.add_markdown("From left to right: " + ", ".join(lanes))
        self.scrubber = gui.add_slider("Time, s", 0.0, round(self.duration, 2), 0.01, 0.0)
        self.scrubber.on_update(lambda event: self._scrub(event.client is not None))
        self._pause = add_pause(gui, self.controls)
        add_speeds(gui, self.controls)
        self._follow = gui.add_checkbox("Camera follows", True)
        self._shown = -np.inf
        self.show()

    def run(self) -> None:
        """Play in a loop, until the controls say stop."""
        play(self.controls, PERIOD, self.step, self.show)

    def step(self) -> None:
        """Go on by one picture; begin again at the end."""
        self._time = self._time + PERIOD if self._time < self.duration else 0.0

    def show(self) -> None:
        """Update the scene and the scrubber, if it is time."""
        now = time.monotonic()
        if now - self._shown < 1 / 30:
            return
        self._shown = now
        if not self.controls.paused:
            self.scrubber.value = round(min(self._time, self.duration), 2)
        with self.stage.server.atomic():
            middle = 0.5 * (len(self._tracks) - 1)
            for number, (figure, track) in enumerate(zip(self._figures, self._tracks, strict=True)):
                aside = np.array([0.0, LANE * (middle - number), 0.0])
                fraction = min(self._time / track.duration, 1.0)
                frame = round(fraction * (track.frames - 1))
                if isinstance(figure, RobotFigure) and track.qpos is not None:
                    pose = track.qpos[frame].copy()
                    pose[:3] += aside
                    figure.place(pose)
                    if self._follow.value:
                        self.stage.follow(float(pose[0]), 0.0)
                elif isinstance(figure, Segments) and track.bones is not None:
                    ends = track.bones[frame] + aside
                    figure.place(ends[:, 0], ends[:, 1])

    def close(self) -> None:
        """End the server."""
        self.controls.stopped.set()
        self.stage.close()

    def _scrub(self, by_hand: bool) -> None:
        if by_hand:
            self._pause.value = self.controls.paused = True
            self._time = float(self.scrubber.value)


def play_in_browser(
    files: Sequence[str],
    settings: PlaySettings | None = None,
    place: PageSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> dict[str, str]:
    """Show motions side by side on a page in the browser, until Ctrl-C.

    Args:
        files: Clips, datasets and human motion, from left to right. A human's skeleton stands
            beside the robot that is retargeted from it.
        settings: The motion and the robot.
        place: Address of the page.
        report: Receives the address.

    Returns:
        Reason for each input that was left out, by name.

    Raises:
        ConfigError: A setting is out of range.
        MissingPackageError: The extra `viz` is not installed.
        MotionError: There is nothing to show.
        RunError: The address is not this machine's.
    """
    settings, place = settings or PlaySettings(), place or PageSettings()
    place.check()
    robot = RobotModel.load(settings.robot)
    tracks, skipped = tracks_of(robot, files, settings)
    page = MotionPage(robot, tracks, place.host, place.port)
    report.info(f"Open {page.stage.url} in a browser. Ctrl-C ends the page.")
    try:
        with stopped_after(page.controls, place.seconds), suppress(KeyboardInterrupt):
            page.run()
    finally:
        page.close()
    return skipped
