"""rl_zoo3 with AMPPPO and with WildRobot's natively batched environments."""
