"""Print what each extra of this package weighs, from what is installed here."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

NAME = "wildrobot"
EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")


def needed(name: str, extras: frozenset[str], found: dict[str, Distribution]) -> None:
    """Add to `found` what a distribution with these extras needs and what is installed."""
    from packaging.requirements import Requirement

    try:
        here = distribution(name)
    except PackageNotFoundError:
        return
    for line in here.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        key = f"{requirement.name.lower().replace('_', '-')}{sorted(requirement.extras)}"
        if key not in found:
            try:
                found[key] = distribution(requirement.name)
            except PackageNotFoundError:
                print(f"{requirement.name} of {name} is not installed; it is not counted.")
                continue
            needed(requirement.name, frozenset(requirement.extras), found)


def packages(extras: frozenset[str]) -> dict[str, float]:
    """Size of each installed distribution that this package with these extras needs, MB."""
    found: dict[str, Distribution] = {}
    needed(NAME, extras | {""}, found)
    sizes = {}
    for dist in found.values():
        files = [file.locate() for file in dist.files or ()]
        sizes[dist.name] = sum(f.stat().st_size for f in files if f.exists()) / 1e6  # type: ignore[union-attr,attr-defined]
    return sizes


def main() -> None:
    """Print the core and each extra on top of it."""
    core = packages(frozenset())
    print(f"{'(core)':10s} {sum(core.values()):6.0f} MB in {len(core)} packages")
    for extra in sorted(distribution(NAME).metadata.get_all("Provides-Extra") or ()):
        more = {n: s for n, s in packages(frozenset({extra})).items() if n not in core}
        largest = sorted(more, key=lambda name: -more[name])[:3]
        print(
            f"{extra:10s} {sum(more.values()):6.0f} MB in {len(more)} packages,"
            f" the largest: {', '.join(f'{name} {more[name]:.0f}' for name in largest)}"
        )


if __name__ == "__main__":
    main()
