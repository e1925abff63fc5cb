"""events.jsonl: what happened to the discriminator during a run, one JSON object a line."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wildrobot_gym import json_io
from wildrobot_gym.files import atomic_write


@dataclass(frozen=True)
class RunEvent:
    """One event of a run.

    Attributes:
        num_timesteps: Environment steps done when it happened.
        kind: "verdict", "adapt", "curriculum" or "schedule".
        text: One sentence for people.
        fields: What else is known, by kind: `verdict` is the verdict's label.
        time: Seconds since 1970.
    """

    num_timesteps: int
    kind: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    time: float = field(default_factory=time.time)

    def to_json(self) -> dict[str, Any]:
        """The object that stands in the file."""
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        more = own.pop("fields")
        return {"time": round(own.pop("time"), 3), **own, **more}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunEvent:
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: It is no event.
        """
        more = {
            k: v for k, v in values.items() if k not in ("time", "num_timesteps", "kind", "text")
        }
        steps, kind, text = int(values["num_timesteps"]), str(values["kind"]), str(values["text"])
        return cls(steps, kind, text, more, float(values["time"]))


def read_events(path: Path) -> list[RunEvent]:
    """The events of a file, oldest first; none where it is missing. Damaged lines are left out."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    events = []
    for line in lines:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            events.append(RunEvent.from_json(json_io.parse(line, "an event")))
    return events


def append_event(path: Path, event: RunEvent) -> None:
    """Add an event. On a full disk it is lost, and nothing is raised."""
    with contextlib.suppress(OSError), open(path, "a") as stream:
        stream.write(json.dumps(event.to_json()) + "\n")


def cut_events(path: Path, num_timesteps: int) -> None:
    """Remove what happened after `num_timesteps`; a resumed run repeats that part.

    On a full disk the file stays as it is, and nothing is raised.
    """
    if not path.is_file():
        return
    kept = [event for event in read_events(path) if event.num_timesteps <= num_timesteps]
    with contextlib.suppress(OSError), atomic_write(path) as stream:
        stream.write("".join(json.dumps(event.to_json()) + "\n" for event in kept).encode())
