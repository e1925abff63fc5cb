"""A policy on a page in the browser, with its commands as sliders."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from wildrobot_gym.experiments.view.charts import StripChart
from wildrobot_gym.experiments.view.controls import Controls, add_pause, add_speeds, play
from wildrobot_gym.experiments.view.session import AXES, PolicySession, Snapshot
from wildrobot_gym.experiments.view.stage import RobotFigure, Segments, Stage, force_ends

SCENE_S, CHARTS_S = 1 / 30, 0.4  # at least so many s of real time between two updates
LABELS = {"vx": "vx, m/s", "vy": "vy, m/s", "yaw_rate": "yaw, rad/s"}
PUSHES = {"forward": (1, 0), "back": (-1, 0), "left": (0, 1), "right": (0, -1)}
KEY_STEP = 0.1  # of a command's range


class PolicyPage:
    """The page. `run` plays until the controls say stop.

    Args:
        session: The robot.
        host: Address to listen on.
        port: Port; the next free one where it is taken.

    Attributes:
        controls: What the buttons set.
        stage: The scene and its server.
        sliders: A slider for each command that the policy knows, by axis.
    """

    def __init__(self, session: PolicySession, host: str = "127.0.0.1", port: int = 8080) -> None:
        self.session = session
        self.controls = Controls()
        self.stage = Stage(host, port)
        self._robot = RobotFigure(self.stage, "robot", session.robot)
        has_ghost = session.snapshot.ghost is not None
        self._ghost = RobotFigure(self.stage, "ghost", session.robot, True) if has_ghost else None
        self._forces = Segments(self.stage, "forces")
        self._charts = {
            "Foot forces": StripChart("N"),
            "Reward terms": StripChart("1", most=6),
            "Forward velocity": StripChart("m/s"),
        }
        if session.policy.model.learner is not None:
            self._charts["Discriminator score"] = StripChart("1")
        self._shown = self._charted = -np.inf
        gui = self.stage.server.gui
        self._status = gui.add_markdown("")
        self.sliders: dict[str, Any] = {}
        self._images: dict[str, Any] = {}
        tabs = gui.add_tab_group()
        with tabs.add_tab("Drive"):
            self._add_commands(gui)
            self._add_time(gui)
            self._add_push(gui)
            self._follow = gui.add_checkbox("Camera follows", True)
            self._show_forces = gui.add_checkbox("Foot forces", True)
            self._show_ghost = gui.add_checkbox("Nearest reference", False, disabled=not has_ghost)
        with tabs.add_tab("Plots"):
            for title, chart in self._charts.items():
                self._images[title] = gui.add_image(chart.picture(), label=title, format="png")
        self._add_keys(gui)
        self.show()

    def run(self) -> None:
        """Step in real time and show, until the controls say stop."""
        play(self.controls, self.session.control_dt, self.step, self.show)

    def step(self) -> None:
        """Do what the buttons ask for, and take one control step."""
        if self.controls.push is not None:
            self.session.push(*self.controls.push)
            self.controls.push = None
        snapshot = self.session.step()
        self._record(snapshot)

    def show(self) -> None:
        """Update the scene and the plots, if it is time."""
        if self.controls.reset:
            self.controls.reset = False
            self.session.reset()
            for chart in self._charts.values():
                chart.clear()
        now = time.monotonic()
        if now - self._shown >= SCENE_S:
            self._shown = now
            self._draw(self.session.snapshot)
        if now - self._charted >= CHARTS_S and self.stage.watched:
            self._charted = now
            for title, chart in self._charts.items():
                self._images[title].image = chart.picture()

    def close(self) -> None:
        """End the server and free the environment."""
        self.controls.stopped.set()
        self.stage.close()
        self.session.close()

    def _draw(self, snapshot: Snapshot) -> None:
        robot = self.session.robot
        with self.stage.server.atomic():
            self._robot.place(snapshot.qpos)
            if self._ghost is not None:
                self._ghost.show(self._show_ghost.value)
                if snapshot.ghost is not None:
                    self._ghost.place(snapshot.ghost)
            self._forces.show(self._show_forces.value)
            tips = force_ends(snapshot.foot_pos, snapshot.foot_force, robot.weight)
            self._forces.place(snapshot.foot_pos, tips)
            if self._follow.value:
                self.stage.follow(*snapshot.qpos[:2])
        vx, vy, yaw = self.session.command
        self._status.content = (
            f"{snapshot.time:.1f} s, {snapshot.forward_velocity:.2f} m/s forward,"
            f" commanded {vx:.2f} m/s, {vy:.2f} m/s, {yaw:.2f} rad/s, falls: {snapshot.falls}"
        )

    def _record(self, snapshot: Snapshot) -> None:
        feet = self.session.robot.foot_names
        loads = map(float, snapshot.foot_force)
        self._charts["Foot forces"].add(dict(zip(feet, loads, strict=True)))
        if snapshot.terms:
            self._charts["Reward terms"].add(snapshot.terms)
            speeds = {"robot": snapshot.forward_velocity, "command": self.session.command[0]}
            self._charts["Forward velocity"].add(speeds)
        if snapshot.score is not None:
            self._charts["Discriminator score"].add({"score": snapshot.score})

    def _add_commands(self, gui: Any) -> None:
        for axis, (low, high) in self.session.ranges.items():
            number = AXES.index(axis)
            slider = gui.add_slider(
                LABELS[axis], low, high, 0.01, float(self.session.command[number])
            )

            def obey(_: Any, number: int = number, slider: Any = slider) -> None:
                self.session.command[number] = slider.value

            slider.on_update(obey)
            self.sliders[axis] = slider
        if not self.session.ranges:
            gui.add_markdown("This policy was trained for one command alone.")

    def _add_time(self, gui: Any) -> None:
        controls = self.controls
        self._pause = add_pause(gui, controls)
        gui.add_button("Single step").on_click(lambda _: self._step_once())
        gui.add_button("Reset").on_click(lambda _: setattr(controls, "reset", True))
        add_speeds(gui, controls)

    def _add_push(self, gui: Any) -> None:
        strength = gui.add_slider("Push, N·s", 0.1, 3.0, 0.1, 1.0)
        ways = gui.add_button_group("Push", tuple(PUSHES))

        def push(_: Any) -> None:
            forward, left = PUSHES[ways.value]
            self.controls.push = (forward * strength.value, left * strength.value)

        ways.on_click(push)

    def _set_pause(self, paused: bool) -> None:
        self._pause.value = paused
        self.controls.paused = paused

    def _step_once(self) -> None:
        self._set_pause(True)
        self.controls.step_once()

    def _add_keys(self, gui: Any) -> None:
        """Keys in the page, where viser has them (from 1.1)."""
        if not hasattr(gui, "add_command"):
            return

        def key(label: str, hotkey: str, action: Any) -> None:
            gui.add_command(label, hotkey=hotkey).on_trigger(lambda _: action())

        def change(axis: str, sign: int) -> None:
            low, high = self.session.ranges[axis]
            wanted = self.sliders[axis].value + sign * KEY_STEP * (high - low)
            self.sliders[axis].value = float(np.clip(wanted, low, high))
            self.session.command[AXES.index(axis)] = self.sliders[axis].value

        # Viser moves the camera by W, A, S, D, Q, E and the arrows.
        keys = {"vx": ("I", "K"), "vy": ("J", "L"), "yaw_rate": ("U", "O")}
        for axis in self.session.ranges:
            for sign, hotkey in zip((1, -1), keys[axis], strict=True):
                word = "More" if sign > 0 else "Less"
                key(
                    f"{word} {LABELS[axis]}",
                    hotkey,
                    lambda axis=axis, sign=sign: change(axis, sign),
                )
        key("Pause", "P", lambda: self._set_pause(not self._pause.value))
        key("Single step", "N", self._step_once)
        key("Reset", "R", lambda: setattr(self.controls, "reset", True))
