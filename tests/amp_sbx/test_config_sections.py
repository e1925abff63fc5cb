"""Sections of the AMP settings: each wrong value is refused with an example."""

import pytest
from learners import BOUNDS, RAMP

from amp_sbx import AMPConfig


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"reintroduce": "joint_vel"}, "give a list of stages"),
        ({"reintroduce": [{"channels": []}]}, "give names of channels"),
        ({"reintroduce": [{"channels": "vel", "at": 3}]}, "give names of channels"),
        ({"reintroduce": [{"at": 3}]}, "is missing channels"),
        ({"reintroduce": [{"channels": ["vel"]}]}, "has neither `at` nor `when`"),
        ({"reintroduce": [{"channels": ["vel"], "at": -1}]}, "amp.reintroduce.at"),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 0.9}}]},
            "when without wait_at_most.*may never end",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "at": 1, "wait_at_most": 5}]},
            "wait_at_most without when",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 0.9}, "wait_at_most": 0}]},
            "amp.reintroduce.wait_at_most",
        ),
        (
            {"reintroduce": [{"channels": ["vel"], "when": {"disc_auk": 1}}]},
            "Did you mean 'disc_auc'",
        ),
        ({"reintroduce": [{"channels": ["vel"], "when": {"disc_auc": 90}}]}, r"number in \[0, 1\]"),
        (
            {"reintroduce": [{"channels": ["vel"], "at": 1}, {"channels": ["vel"], "at": 2}]},
            "vel twice",
        ),
        ({"schedule": RAMP | {"wait_auc": [0.6, 0.85]}}, "forever.*wait_at_most: 2e6"),
        (
            {"schedule": RAMP | {"wait_auc": [0.6, 0.85], "wait_at_most": float("inf")}},
            "wait_at_most is inf",
        ),
        ({"schedule": RAMP | {"wait_auc": [0.9, 0.6], "wait_at_most": 9}}, "swap them"),
        ({"schedule": RAMP | {"wait_auc": 0.6, "wait_at_most": 9}}, "two numbers"),
        ({"schedule": {"wait_auc": [0.6, 0.85], "wait_at_most": 9}}, "no ramp that could wait"),
        ({"schedule": RAMP | {"wait_at_most": 9}}, "without wait_auc"),
        ({"schedule": {"ramp_end": float("inf")}}, "ramp_end is inf"),
        ({"schedule": {"initial": 0.1}}, "initial 0.1 never applies.*Give ramp_end"),
        ({"adapt": True}, r"adapt_bounds: \{update_steps: \[1, 8\]"),
        ({"adapt": "yes"}, "true or false"),
        (
            {"adapt": True, "adapt_bounds": {"update_steps": [1, 8], "disc_lr": [1e-5, 1e-3]}},
            "penalty is None.*amp.r1_gamma",
        ),
        ({"adapt_bounds": BOUNDS}, r"disc_lr \[0.001, 0.005\] do not enclose amp.disc_lr 0.0001"),
        ({"adapt_bounds": BOUNDS | {"disc_lr": [1e-3, 1e-4]}}, "low is above high"),
        ({"adapt_bounds": BOUNDS | {"disc_lr": [0, 1]}}, "amp.adapt_bounds.disc_lr is 0"),
        ({"adapt_bounds": BOUNDS | {"update_steps": [0.5, 4]}}, "whole number"),
        ({"adapt_bounds": {"update_steps": [1, 8]}}, "is missing disc_lr"),
        (
            {"adapt_bounds": BOUNDS | {"disc_lr": [1e-5, 1.0]}, "gradient_penalty": "none"},
            "penalty is given, but amp.gradient_penalty is .none.; remove it",
        ),
        ({"adapt_every": 0}, "adapt_every"),
        ({"adapt_auc": [0.6, 1.2]}, r"number in \[0, 1\]"),
        ({"adapt_auc": [0.6, 0.8]}, "adapt_auc is given without amp.adapt"),
        ({"label_smoothing": 1.0}, "smoothed by amp.label_smoothing"),
        (
            {
                "loss": "wgan",
                "reward": "softplus",
                "schedule": {
                    "ramp_end": 9,
                    "initial": 0.0,
                    "wait_auc": [0.6, 0.8],
                    "wait_at_most": 9,
                    "wait_logits": 1.0,
                },
            },
            "scores have no scale",
        ),
        ({"single_motion": 1}, "true or false"),
    ],
)
def test_settings_are_refused_with_an_example(wrong, message):
    with pytest.raises(ValueError, match=message):
        AMPConfig.from_dict(wrong)
