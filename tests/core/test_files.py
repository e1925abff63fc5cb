"""Files are written whole or not at all, links stay links, and a lock is one process's."""

import json
import os
import subprocess
import sys
import threading

import pytest

from wildrobot_gym.files import atomic_write, folder_write, locked


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with atomic_write(path) as stream:
        stream.write(b"old")
    with pytest.raises(OSError, match="full"), atomic_write(path) as stream:
        stream.write(b"ne")
        raise OSError("full")
    assert path.read_bytes() == b"old" and os.listdir(path.parent) == ["a.txt"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with atomic_write(tmp_path / "link") as stream:
        stream.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with atomic_write(pipe) as stream:
        stream.write(b"figures")
    reader.join(timeout=10)
    assert read == [b"figures"] and pipe.is_fifo()


def test_a_lock_is_held_by_one(tmp_path):
    with locked(tmp_path / ".lock"), pytest.raises(BlockingIOError), locked(tmp_path / ".lock"):
        pass
    with locked(tmp_path / ".lock"):
        pass


def test_a_folder_changes_only_as_a_whole(tmp_path):
    folder = tmp_path / "new" / "folder"
    with folder_write(folder, last="b") as part:
        (part / "b").write_text("1")
        (part / "a").write_text("1")
        assert not folder.exists()
    (folder / "kept").write_text("")
    with pytest.raises(ZeroDivisionError), folder_write(folder, last="b") as part:
        (part / "b").write_text("2")
        raise ZeroDivisionError
    assert sorted(p.name for p in folder.iterdir()) == ["a", "b", "kept"]
    assert (folder / "b").read_text() == "1"
    with folder_write(folder, last="b", stale=["a"]) as part:
        (part / "b").write_text("3")
    assert sorted(p.name for p in folder.iterdir()) == ["b", "kept"]
    assert (folder / "b").read_text() == "3"
    with pytest.raises(OSError, match="no folder"), folder_write(folder / "b", last="b"):
        pass
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    kill = "import os; os.kill(os.getpid(), 9)"
    ended = subprocess.Popen([sys.executable, "-c", kill])
    ended.wait()
    with atomic_write(tmp_path / "a.txt"):
        (own,) = os.listdir(tmp_path)
    host = own.removeprefix(".a.txt.").split("-")[0]
    kept = {
        f".a.txt.{host}-{os.getppid()}-ab.tmp",  # another process is at it
        f".a.txt.00000000-{ended.pid}-ab.tmp",  # another machine
        ".a.txt.mine.tmp",  # somebody else
    }
    for name in (*kept, f".a.txt.{host}-{ended.pid}-ab.tmp"):
        (tmp_path / name).write_text("half")
    (tmp_path / f".folder.{host}-{ended.pid}-ab.tmp").mkdir()
    (tmp_path / f".folder.{host}-{ended.pid}-ab.tmp" / "half").write_text("half")
    with atomic_write(tmp_path / "a.txt") as stream:
        stream.write(b"whole")
    with folder_write(tmp_path / "folder", last="b") as part:
        (part / "b").write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "a.txt", "folder"}


def test_two_processes_that_write_one_file_tear_nothing(tmp_path):
    script = """
import sys
from pathlib import Path
from wildrobot_gym.files import write_json
for _ in range(100):
    write_json(Path("a.json"), [int(sys.argv[1])] * 2000)
"""
    command = [sys.executable, "-c", script]
    both = [subprocess.Popen([*command, str(i)], cwd=tmp_path) for i in (1, 2)]
    seen = set()
    while any(process.poll() is None for process in both):
        if (tmp_path / "a.json").exists():
            values = json.loads((tmp_path / "a.json").read_text())
            assert len(values) == 2000
            seen |= {*values}
    assert [process.returncode for process in both] == [0, 0] and seen == {1, 2}
    assert os.listdir(tmp_path) == ["a.json"]
