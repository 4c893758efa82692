"""Submit jobs, kill what does the work at random moments, wait for calm, check the history.

Needs Django set up on the stand's servers.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from core.jobs.models import Job
from core.tenancy import tenant_context
from tests.chaos import history
from tests.chaos.load import ORGANISATIONS, Load
from tests.chaos.stand import Stand

_WORKERS = ("worker-1", "worker-2")
_DISPATCHERS = ("dispatcher-1", "dispatcher-2")
_PATIENCE_SECONDS = 220.0


@dataclass(slots=True)
class Plan:
    seed: int
    runs: int
    kills: int


@dataclass(slots=True)
class Storm:
    plan: Plan
    load: Load
    stand: Stand
    say: Callable[[str], None]
    jobs: dict[UUID, str] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    restarts: int = 0  # of processes that gave up themselves

    def run(self) -> bool:
        """True when nothing was lost, doubled or damaged."""
        started = time.monotonic()
        rng = random.Random(self.plan.seed)
        self.load.prepare()
        self.stand.start(*_WORKERS, *_DISPATCHERS)
        for number in range(self.plan.runs):
            self._submit(number)
        self.say(f"{len(self.jobs)} jobs submitted after {time.monotonic() - started:.0f} s")
        while sum(self.killed.values()) < self.plan.kills:
            time.sleep(rng.uniform(0.3, 1.6))
            if self._is_calm():
                self._submit(len(self.jobs))  # keep something to kill
            self._strike(rng)
            self._heal()
        calm = self._wait(started)
        verdict = history.check(self.jobs, self.load)
        struck = ", ".join(f"{count} {what}" for what, count in sorted(self.killed.items()))
        self.say(
            f"seed {self.plan.seed}: {sum(self.killed.values())} kills ({struck}), {self.restarts} restarts"
        )
        self.say(
            f"{verdict.jobs} jobs, {verdict.units} units, {verdict.attempts} attempts, most deaths under one "
            f"unit {verdict.most_deaths}, {verdict.events} events, {time.monotonic() - started:.0f} s"
        )
        self.say(f"lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, damaged {len(verdict.damaged)}")
        for problem in (*verdict.lost, *verdict.doubled, *verdict.damaged):
            self.say(f"  {problem}")
        if not (calm and verdict.is_clean):
            self.say(self.stand.last_words())
        return calm and verdict.is_clean

    def _submit(self, number: int) -> None:
        schema = ORGANISATIONS[number % len(ORGANISATIONS)]
        with tenant_context(schema), transaction.atomic():
            job_id = self.load.submit(number)
        self.jobs[job_id] = schema  # only now it is promised

    def _strike(self, rng: random.Random) -> None:
        chance = rng.random()
        if chance < 0.45:
            if self.stand.kill_child(rng.choice(_WORKERS), rng):
                self.killed["children"] += 1
        elif chance < 0.75:
            self._kill_and_restart(rng.choice(_WORKERS), "workers")
        elif chance < 0.91:
            self._kill_and_restart(rng.choice(_DISPATCHERS), "dispatchers")
        elif chance < 0.96:
            self.stand.wipe_valkey()
            self.killed["brokers with all they held"] += 1
        else:
            self.stand.crash_postgres()
            self.killed["databases"] += 1

    def _kill_and_restart(self, name: str, what: str) -> None:
        self.stand.kill(name)
        self.stand.start(name)
        self.killed[what] += 1

    def _heal(self) -> None:
        """What a supervisor does: a worker that loses all its children while it starts gives up (Celery)."""
        for name in (*_WORKERS, *_DISPATCHERS):
            if self.stand.processes[name].poll() is not None:
                self.stand.start(name)
                self.restarts += 1

    def _open(self) -> int:
        """Jobs under way; asked again when the database has just come back."""
        for _ in range(20):
            try:
                return self._count_open()
            except (OperationalError, InterfaceError):
                connection.close()
                time.sleep(0.2)
        return self._count_open()

    @staticmethod
    def _count_open() -> int:
        return Job.objects.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING)).count()

    def _is_calm(self) -> bool:
        return self._open() == 0

    def _wait(self, started: float) -> bool:
        deadline = started + _PATIENCE_SECONDS
        while not self._is_calm():
            if time.monotonic() > deadline:
                self.say(f"{self._open()} jobs are still under way after {_PATIENCE_SECONDS:.0f} s")
                return False
            self._heal()
            time.sleep(0.5)
        return True
