"""The command line: the only room that knows both the robot's world and the learning. Start at ``main``."""
