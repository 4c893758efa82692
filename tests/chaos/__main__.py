"""`python -m tests.chaos --seed 1 --runs 40 --kills 40`: exit 0 when nothing was lost, doubled or damaged.

`--real` runs the platform's own pipeline over a small config instead of the little one made for the storm.
"""

import argparse
import sys
from functools import partial
from importlib import import_module

import django

from tests.chaos.stand import Stand


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the kills and of the files")
    parser.add_argument("--runs", type=int, default=40, help="jobs at least")
    parser.add_argument("--kills", type=int, default=40, help="kills at least")
    parser.add_argument("--real", action="store_true", help="generate real datasets (about 8 s of CPU each)")
    chosen = parser.parse_args()
    with Stand("tests.chaos.real_settings" if chosen.real else "tests.chaos.settings") as stand:
        django.setup()  # only now can anything be imported that knows a model
        storm = import_module("tests.chaos.storm")
        load = (
            import_module("tests.chaos.dataset_load").DatasetLoad(chosen.seed)
            if chosen.real
            else import_module("tests.chaos.file_load").FileLoad(chosen.seed)
        )
        plan = storm.Plan(seed=chosen.seed, runs=chosen.runs, kills=chosen.kills)
        return 0 if storm.Storm(plan, load, stand, partial(print, flush=True)).run() else 1


if __name__ == "__main__":
    sys.exit(main())
