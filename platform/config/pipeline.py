"""The stages of both kinds of job: a dataset from its plan to its release, and the export of an organisation. And the chores.

Here and nowhere else generation, evaluation and compliance meet; each stage is a function of one of them.
"""

from functools import partial

from compliance.evidence.marks import PublicMark
from compliance.organisation_export import build_export, end_export
from compliance.runs import seal_run
from core.jobs import chores
from core.jobs.pipelines import Stage, register
from evaluation.runs import assess_run, gate_run
from generation.runs import (
    close_run,
    end_run,
    export_count,
    export_run,
    make_shard,
    plan_run,
    release_run,
    shard_weights,
)
from generation.services import JOB_KIND
from tenants.lifecycle.services import EXPORT_KIND, drop_expired_exports_everywhere

# The published key, as on the command line: the same config gives the same bytes here and there.
MARK = PublicMark()

register(
    JOB_KIND,
    stages=(
        Stage("plan", plan_run, weight=1),
        Stage("shards", partial(make_shard, mark=MARK), fan_out=shard_weights, weight=50),
        Stage("close", partial(close_run, mark=MARK), weight=12),
        Stage("assess", assess_run, weight=30),
        Stage("gate", gate_run, weight=1),
        Stage("exports", export_run, fan_out=export_count, weight=6),
        Stage("seal", seal_run, weight=2),
        Stage("release", release_run, weight=1),
    ),
    on_end=end_run,
)
register(EXPORT_KIND, stages=(Stage("pack", build_export),), on_end=end_export)
chores.register("expired exports", drop_expired_exports_everywhere)
