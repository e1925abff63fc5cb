"""MuJoCo as the robot in a process of its own, behind a socket that loses and delays packets."""

import multiprocessing

from wildrobot_gym.deploy.clock import Clock
from wildrobot_gym.experiments.rehearse.run import Stage
from wildrobot_gym.experiments.rehearse.serve import open_server, serve
from wildrobot_gym.experiments.rehearse.settings import Disturbances, RehearseSettings


def be_robot(folder, pipe, speed, disturbances):
    """Serve until the parent says stop, and tell it where the robot is then."""
    stage = Stage(folder, RehearseSettings(), Disturbances(**disturbances))
    robot = stage.simulated()
    server = open_server(0)
    pipe.send(server.port)
    serve(robot, server, pipe.poll, Clock(speed), lost=disturbances["lost"])
    pipe.send(stage.plain.data.xpos[stage.plain.base].tolist())


def start(folder, speed, **disturbances):
    """The process, the pipe to stop it by, and the robot's port."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=be_robot, args=(folder, theirs, speed, disturbances))
    process.start()
    assert ours.poll(120), "the robot's process did not start"
    return process, ours, ours.recv()
