"""`python -m tests.chaos --seed 1 --runs 40 --kills 40`: exit 0 when nothing was lost, doubled or damaged."""

import argparse
import sys
from functools import partial

import django

from tests.chaos.stand import Stand


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the kills and of the files")
    parser.add_argument("--runs", type=int, default=40, help="jobs at least")
    parser.add_argument("--kills", type=int, default=40, help="kills at least")
    arguments = parser.parse_args()
    with Stand() as stand:
        django.setup()
        from tests.chaos.storm import Plan, Storm  # models can be imported only now

        plan = Plan(seed=arguments.seed, runs=arguments.runs, kills=arguments.kills)
        return 0 if Storm(plan, stand, partial(print, flush=True)).run() else 1


if __name__ == "__main__":
    sys.exit(main())
