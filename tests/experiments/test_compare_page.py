"""The HTML page of a comparison."""

import re

import numpy as np
from compared_runs import HOSTILE, Reader, made_up

from wildrobot_gym.evaluation.suites.catalog import PUSH
from wildrobot_gym.evaluation.suites.results import RowResult, SuiteResult, flat_result
from wildrobot_gym.experiments.compare.page import page
from wildrobot_gym.experiments.report import page as report_page
from wildrobot_gym.motion.gait.build import walk_clip
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training.events import RunEvent


def test_a_page_loads_nothing_and_escapes_everything(tmp_path):
    points = np.array([[0.0, 0.5], [1e6, 1.0]])
    clips = [walk_clip(RobotModel.load("wildrobot"), 0.4)]
    first = made_up(
        tmp_path,
        HOSTILE,
        slip=0.2,
        clips=clips,
        reference=HOSTILE,
        config={"seed": HOSTILE, HOSTILE: 1},
        curves={"eval/success": points},
        missing=(HOSTILE,),
    )
    text = page([first, made_up(tmp_path, "other", "wildrobot_8dof", config={"seed": 2})])
    reader = Reader(text)
    assert not reader.tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "image",
        "foreignobject",
        "base",
        "form",
    }
    assert "alert(" in text and "<script" not in text
    links = {
        value
        for name, value in reader.attributes
        if name in ("src", "href", "xlink:href", "data", "srcset", "poster")
    }
    assert all(link == "data:," or link.startswith("#") for link in links) and "@import" not in text
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert len(reader.ids) == len(set(reader.ids))
    assert (
        "default-src 'none'" in text
        and 'charset="utf-8"' in text
        and "prefers-color-scheme:dark" in text
    )
    assert text.count("<svg") == text.count('role="img" aria-label="')


def test_a_page_of_a_single_run(tmp_path):
    text = page([made_up(tmp_path, "alone")])
    Reader(text)
    assert "No learning curves of alone" in text and "Settings that differ" not in text


def test_suites_are_one_picture_and_a_table_of_bars_for_each(tmp_path):
    def of(good):
        rows = [
            RowResult(row, {name: np.full(8, good) for name in ("survived", "success")}, {})
            for row in PUSH.rows
        ]
        flat = made_up(tmp_path, "flat").result
        suites = {"flat": flat_result(flat), "push": SuiteResult(PUSH, 8, 1, tuple(rows))}
        return made_up(tmp_path, f"run{good:g}", suites=suites)

    text = page([of(1.0), of(0.0)])
    reader = Reader(text)
    assert "suites" in reader.ids and "push: 1 of 2 meet all bars" in text
    assert text.count('aria-label="flat: run 1 survives') == 1
    report = report_page.page(of(0.0), {}, [], None, "No GL.")
    assert "<b>0.000</b> <small>0.4 m/s, push 0.3</small> missed" in report
    assert 'id="suites"' not in page([made_up(tmp_path, "alone")])


def test_a_report_loads_nothing_and_escapes_everything(tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    run = made_up(tmp_path, HOSTILE, config={"seed": HOSTILE})
    events = [RunEvent(n, "verdict", HOSTILE) for n in range(250)]
    text = report_page.page(run, {HOSTILE: 0.25}, events, film, "")
    reader = Reader(text)
    assert "script" not in reader.tags and "alert(" in text
    sources = [value for name, value in reader.attributes if name == "src"]
    assert sources == ["data:video/mp4;base64,ZmlsbQ=="]
    assert "25 %" in text and "The last 200 events" in text and ">249<" in text
    without = report_page.page(made_up(tmp_path, "alone"), {}, [], None, "No GL.")
    assert "No verdicts" in without and "No GL." in without and "<video" not in without
