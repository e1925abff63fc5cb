"""Run an exported policy on a robot, with NumPy alone or with onnxruntime."""
