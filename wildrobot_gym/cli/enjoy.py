"""`wildrobot enjoy` and `wildrobot plot`: a policy in a window, and as pictures."""

from __future__ import annotations

from pathlib import Path

from wildrobot_gym.console.error_handling import Text


def enjoy(policy: Text, /, command: float = 0.4, seconds: float = 60.0) -> int:
    """Show a policy in a window, in real time.

    This needs a screen.

    Args:
        policy: Policy to show: a .zip file, a run directory, or the name of a shipped policy.
        command: Commanded forward speed, in m/s.
        seconds: How long to show the policy, in s.
    """
    from wildrobot_gym.experiments.video import show_policy

    show_policy(policy, command, seconds)
    return 0


def plot(policy: Text, /, out: Path = Path("plots"), command: float = 0.4) -> int:
    """Draw a policy's gait and its run's learning curves.

    Args:
        policy: Policy to draw: a .zip file, a run directory, or the name of a shipped policy.
        out: Directory for the pictures.
        command: Commanded forward speed, in m/s.
    """
    from wildrobot_gym.console.reporter import ConsoleReporter
    from wildrobot_gym.experiments.video import plot_policy

    reporter = ConsoleReporter()
    for path in plot_policy(policy, out, command):
        reporter.info(f"Picture: {path}")
    return 0
