"""`wildrobot doctor`: print what works on this machine."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from wildrobot_gym.console.reporter import ConsoleReporter


def doctor() -> int:
    """Check what works on this machine, and say what to do.

    The exit code is 1 where something that training or evaluation needs does not work.
    """
    from wildrobot_gym.experiments.doctor import diagnose
    from wildrobot_gym.training.versions import versions

    reporter = ConsoleReporter()
    about = versions()
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    reporter.info(f"Python {about['python']}, {about['platform']}\n{packages}")
    diagnosis = diagnose()
    table = Table(show_lines=False)
    for column in ("check", "result", "what was found, or what to do"):
        table.add_column(column, overflow="fold")
    for finding in diagnosis.findings:
        mark = "[green]works[/]"
        if not finding.works:
            mark = "[red]does not work[/]" if finding.needed else "[yellow]not here[/]"
        table.add_row(finding.name, mark, escape(finding.text))
    reporter.console.print(table)
    if diagnosis.healthy:
        reporter.info("Training and evaluation work here.")
        return 0
    reporter.warning("Something that training needs does not work.")
    return 1
