"""`wildrobot push` and `wildrobot pull`: policies to and from the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text
from wildrobot_gym.console.reporter import ConsoleReporter
from wildrobot_gym.experiments.hub.settings import PullSettings, PushSettings


def push(
    policy: Text,
    repo: Text,
    /,
    settings: tyro.conf.OmitArgPrefixes[PushSettings] = PushSettings(),
) -> int:
    """Upload a policy to the Hugging Face hub, with a model card.

    The card is made from the policy's evaluation.

    Args:
        policy: Policy to upload: a .zip file, a run directory, or the name of a shipped policy.
        repo: Repository on the hub, as user/name.
    """
    from wildrobot_gym.experiments.hub import transfer

    reporter = ConsoleReporter()
    pushed = transfer.push(policy, repo, settings, report=reporter)
    reporter.info(f"Pushed {', '.join(pushed.files)}: {pushed.url}")
    return 0


def pull(
    repo: Text,
    /,
    out: Path | None = None,
    settings: tyro.conf.OmitArgPrefixes[PullSettings] = PullSettings(),
) -> int:
    """Download a policy from the Hugging Face hub.

    Args:
        repo: Repository on the hub, as user/name.
        out: Folder for the policy; by default the repository's name.
    """
    from wildrobot_gym.experiments.hub import transfer

    folder = out or Path(repo.rpartition("/")[2])
    pulled = transfer.pull(repo, folder, settings)
    reporter = ConsoleReporter()
    reporter.info(f"Pulled {', '.join(pulled.files)} into {pulled.folder}")
    # A bare name might be a shipped policy's.
    shown = folder if folder.is_absolute() else f"./{folder}"
    reporter.info(f"Watch it: wildrobot enjoy {shown}")
    return 0
