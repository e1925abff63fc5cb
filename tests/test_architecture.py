"""Imports point down a floor or stay on it and make no circle; modules are small."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

from wildrobot_gym.extras import EXTRA_OF

ROOT = Path(__file__).resolve().parent.parent
TOWERS: dict[str, tuple[set[str], ...]] = {
    "wildrobot_gym": (
        {"errors", "extras", "rotations", "paths", "reporting", "json_io", "npz_io", "yaml_io"},
        {"files", "console"},
        {"deploy"},
        {"config"},
        {"terrain"},
        {"robot"},
        {"physics"},
        {"task"},
        {"motion"},
        {"env"},
        {"evaluation"},
        {"training"},
        {"experiments"},
        {"cli"},
    ),
    "amp_sbx": ({"common"}, {"reference"}, {"discriminator"}, {"algorithm"}, {"integrations"}),
}
FLOOR_OF = {
    f"{package}.{room}": floor
    for package, floors in TOWERS.items()
    for floor, rooms in enumerate(floors)
    for room in rooms
}
MOST_LINES = 300  # of a module; longer ones do more than one thing
MOST_COMMAND_LINE = 2_200  # of all of wildrobot_gym/cli, which only parses, calls and prints
KNOW_LEARNING = ("wildrobot_gym.training", "wildrobot_gym.experiments", "wildrobot_gym.cli")


def modules(package: str) -> dict[str, Path]:
    files = sorted((ROOT / package).rglob("*.py"))
    return {
        ".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f
        for f in files
    }


def imports(module: str, path: Path, known: set[str]) -> set[str]:
    """Full names of the modules that `path` imports anywhere in its text.

    A name taken from a package counts as the submodule it may be.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = (
                    module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
                )
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            submodules = {f"{base}.{alias.name}" for alias in node.names} & known
            found |= submodules
            if len(submodules) < len(node.names):
                found.add(base)
    return found


def graph(package: str) -> dict[str, set[str]]:
    files = modules(package)
    return {name: imports(name, path, set(files)) for name, path in files.items()}


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_room_has_a_floor() -> None:
    rooms = {room(m) for package in TOWERS for m in modules(package) if "." in m}
    assert rooms <= set(FLOOR_OF), f"give these rooms a floor: {sorted(rooms - set(FLOOR_OF))}"


def test_learning_does_not_know_the_robot() -> None:
    offenders = {
        m: i
        for m, i in graph("amp_sbx").items()
        if any(n.split(".")[0] == "wildrobot_gym" for n in i)
    }
    assert not offenders


def test_only_the_upper_floors_know_the_learning_package() -> None:
    offenders = {
        m
        for m, names in graph("wildrobot_gym").items()
        if any(n.split(".")[0] == "amp_sbx" for n in names) and not m.startswith(KNOW_LEARNING)
    }
    assert not offenders


def test_modules_are_small() -> None:
    lines = {
        name: len(path.read_text().splitlines())
        for package in TOWERS
        for name, path in modules(package).items()
    }
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
    in_cli = sum(n for name, n in lines.items() if name.startswith("wildrobot_gym.cli"))
    assert in_cli <= MOST_COMMAND_LINE
    at_root = [path.name for path in (ROOT / "amp_sbx").iterdir() if path.is_file()]
    assert len(at_root) <= 3


def test_imports_point_down() -> None:
    offenders = []
    for package in TOWERS:
        for module, names in graph(package).items():
            for name in names:
                if not name.startswith(f"{package}.") or "." not in module:
                    continue  # a package's own __init__ gathers its public names
                if FLOOR_OF[room(name)] > FLOOR_OF[room(module)]:
                    offenders.append(f"{module} -> {name}")
    assert not offenders


def imported_at_once(module: str, path: Path, known: set[str]) -> set[str]:
    """Names of the modules that importing `module` imports, directly."""
    tree = ast.parse(path.read_text())
    now = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in now if isinstance(node, ast.Import) for alias in node.names}
    for node in now:
        if isinstance(node, ast.ImportFrom):
            names |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names} & known
    parents = {name.rpartition(".")[0] for name in names if name in known}
    return names | parents & known


def test_the_environments_need_no_optional_package() -> None:
    files = modules("wildrobot_gym")
    todo, seen = [m for m in files if m.startswith("wildrobot_gym.env.")], set()
    todo = [m for m in todo if not m.endswith(("brax_env", "gymnax_env"))] + ["wildrobot_gym"]
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo += imported_at_once(module, files[module], set(files)) if module in files else ()
    tops = {name.partition(".")[0] for name in seen}
    assert {"mujoco", "jax", "gymnasium"} <= tops
    assert not tops & {*EXTRA_OF, "amp_sbx"}


def test_there_is_no_circle() -> None:
    for package in ("wildrobot_gym", "amp_sbx"):
        files = graph(package)
        done: set[str] = set()

        def visit(module: str, path: tuple[str, ...], files=files, done=done) -> None:
            assert module not in path, "circle: " + " -> ".join(itertools.chain(path, [module]))
            if module in done:
                return
            for name in files[module] & set(files):
                visit(name, (*path, module))
            done.add(module)

        for module in files:
            visit(module, ())
