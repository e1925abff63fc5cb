"""The robot's side needs the standard library and NumPy, and onnxruntime for .onnx files."""

import ast
import subprocess
import sys
from pathlib import Path

import wildrobot_gym.deploy

ALLOWED = {"numpy", "onnxruntime", "wildrobot_gym"}
OWN = {
    "deploy",
    "errors",
    "extras",
    "files",
    "json_io",
    "npz_io",
}  # which import nothing else themselves
# Imports succeed as on a computer that has NumPy and this package alone.
ALONE = """
import sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and root not in ("numpy", "wildrobot_gym"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing())
import numpy as np
from wildrobot_gym.deploy import Controller, Sensors
controller = Controller.load(sys.argv[1])
home = controller.description.of_joints("home")
sensors = Sensors(0.0, home, 0 * home, np.array([1.0, 0, 0, 0]), np.zeros(3), np.zeros(3))
print(controller.step(sensors, np.array([0.4, 0, 0])).targets.round(4).tolist())
"""


def test_a_policy_runs_where_only_numpy_is_installed(plain_folder, plain_controller):
    code = [sys.executable, "-c", ALONE, str(plain_folder)]
    done = subprocess.run(code, capture_output=True, text=True, check=True)
    targets = ast.literal_eval(done.stdout)
    assert len(targets) == len(plain_controller.description.joints)


def test_modules_import_nothing_else():
    for file in Path(wildrobot_gym.deploy.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                root, *rest = name.split(".")
                assert root in sys.stdlib_module_names or root in ALLOWED, f"{file.name}: {name}"
                assert root != "wildrobot_gym" or rest[0] in OWN, f"{file.name}: {name}"
