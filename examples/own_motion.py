"""Make reference motion of your own, slow squats, and train a policy to imitate it."""

import gymnasium as gym
import numpy as np

import wildrobot_gym as wr
from amp_sbx import AMPPPO
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.reference import save_clips
from wildrobot_gym.robot import RobotModel


def squats(robot: RobotModel, seconds: float, fps: int = 50) -> MotionClip:
    """Four squats. The knees are bent at home, so a larger home pose is a squat."""
    phase = np.arange(int(4 * seconds * fps)) / (seconds * fps)
    scale = 1.5 - 0.5 * np.cos(2 * np.pi * phase)
    root_pos, root_quat, joints = np.split(robot.home_qpos, [3, 7])
    return MotionClip(
        name=f"squats_{seconds}",
        robot=robot.name,
        fps=fps,
        joint_names=robot.joint_names,
        root_pos=np.tile(root_pos, (len(phase), 1)),  # the features below do not show it
        root_quat=np.tile(root_quat, (len(phase), 1)),
        joint_pos=scale[:, None] * joints,
    )


robot = RobotModel.load("wildrobot")
save_clips("squats.npz", [squats(robot, seconds) for seconds in (1.5, 2.0, 2.5)])

features = {"channels": ["joint_pos"], "contacts": "none"}
env = gym.make_vec("WildRobot-v0", num_envs=256, features=features, commands={"vx": (0, 0)})
reference = wr.load_reference("squats.npz", env)
amp = {"weight": 1.0, "batch_size": 256}
model = AMPPPO("MlpPolicy", env, n_steps=24, batch_size=1536, amp=amp, reference=reference)
model.learn(500_000)
