"""`wildrobot distill`."""

from __future__ import annotations

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.output import training_console
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.settings import DistillSettings


def distill(
    config: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[DistillSettings],
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    force: bool = False,
) -> int:
    """Teach a walking policy by a tracking policy.

    The teacher knows the clip that it performs. The student sees a command, and what CONFIG lets it
    observe. `wildrobot train CONFIG --set trained_agent=FILE` continues from the student.

    Args:
        config: Name of a shipped config (walk_amp, ...) or path of a YAML file.
        settings: The teacher, its clips, and how much to teach.
        set: Settings that replace the config's.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.experiments.distill import distill as run

    overrides = [item for group in set for item in group]
    reporter = ConsoleReporter(training_console())
    run(config, settings, overrides=overrides, overwrite=force, report=reporter)
    return 0
