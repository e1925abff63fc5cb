"""The benchmark's row `engines`: a policy on native physics and on MJX, through the same episodes.

    python scripts/compare_engines.py [POLICY] [EPISODES] [COMMAND ...]

It prints each metric on both engines, and the difference that chance explains. MJX is slow on a
CPU: 8 episodes at one command take some minutes there.
"""

import sys

from wildrobot_gym.evaluation.formatting import WALK_HEADINGS
from wildrobot_gym.evaluation.protocol import COMMANDS, EPISODES
from wildrobot_gym.experiments.engines import compare_engines


def main(policy: str = "walk", episodes: str = str(EPISODES), *commands: str) -> int:
    """Print the table; 1 if a difference is not within the intervals."""
    speeds = tuple(map(float, commands)) or COMMANDS
    found = compare_engines(policy, ("native", "mjx"), speeds, int(episodes))
    print(f"{'row':<10}{'metric':<24}{'native':>9}{'mjx':>9}{'apart':>9}{'chance':>9}")
    for d in found:
        numbers = ["-" if x is None else f"{x:.4f}" for x in (d.first, d.second)]
        apart = "-" if None in (d.first, d.second) else f"{abs(d.first - d.second):.4f}"
        verdict = "" if d.agrees else "  apart"
        cells = "".join(f"{x:>9}" for x in (*numbers, apart, f"{d.allowed:.4f}"))
        print(f"{d.row:<10}{WALK_HEADINGS[d.metric]:<24}{cells}{verdict}")
    return int(not all(d.agrees for d in found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
