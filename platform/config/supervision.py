"""Keeps the processes of one machine running: starts a dead one again, and says when that does not help."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Protocol

from core.embedded.servers import EmbeddedServerError, Process, spawn, tail

_FIRST_PAUSE_SECONDS = 0.5
_WINDOW_SECONDS = 60.0
_DEATHS_IN_WINDOW = 5
_LOOK_SECONDS = 0.25
_STOP = ((signal.SIGTERM, 25.0), (signal.SIGKILL, 5.0))


class ProcessLost(RuntimeError):
    """A process ended and is not started again; the message names it and its log."""


class Restartable(Protocol):
    """An embedded server, or one of our own programs."""

    def is_alive(self) -> bool: ...

    def restart(self) -> None:
        """Start it again, once it is dead. Raises EmbeddedServerError when it does not come up."""


@dataclass(slots=True)
class Program:
    """One of our own programs, with the processes that it forks."""

    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    def is_alive(self) -> bool:
        return self.process.is_alive()

    def restart(self) -> None:
        self._end_children()  # a worker's children would go on without anybody who knows of them
        self._start()

    def ask_to_stop(self) -> None:
        if self.is_alive():
            os.kill(self.process.pid, signal.SIGTERM)

    def stop(self) -> None:
        self.process.stop(_STOP)
        self._end_children()

    def _start(self) -> None:
        self.process = spawn(
            self.command, log=self.log, environment=self.environment, death_signal=signal.SIGTERM
        )

    def _end_children(self) -> None:
        """They are in the session, and so in the process group, that `spawn` made for the program."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@dataclass(slots=True)
class _Watched:
    name: str
    log: Path
    process: Restartable
    deaths: list[float] = field(default_factory=list)
    start_at: float | None = None  # while it is dead: when to start it again
    came_up: bool = True

    def note_death(self, now: float) -> float:
        """Seconds to wait before the next start: twice as long after each death of the last minute."""
        if self.came_up:  # starts that fail in a row count however long each of them takes
            self.deaths = [death for death in self.deaths if death > now - _WINDOW_SECONDS]
        self.deaths.append(now)
        pause: float = _FIRST_PAUSE_SECONDS * 2 ** (len(self.deaths) - 1)
        self.start_at = now + pause
        return pause


class Supervisor:
    """Watches processes from the thread that started them: the kernel ends them when that thread ends."""

    def __init__(self, log: Path, say: Callable[[str], None]) -> None:
        self._log = log
        self._say = say
        self._watched: list[_Watched] = []

    def watch(self, name: str, log: Path, process: Restartable) -> None:
        self._watched.append(_Watched(name, log, process))

    def check(self) -> None:
        """While the platform starts: nothing may end. Raises ProcessLost."""
        for one in self._watched:
            if not one.process.is_alive():
                raise ProcessLost(_last_words(one, f"The {one.name} process ended"))

    def tend_for_ever(self) -> NoReturn:
        """Raises ProcessLost when `tend` does."""
        while True:
            time.sleep(_LOOK_SECONDS)
            self.tend()

    def tend_during(self, work: Callable[[], None]) -> None:
        """Do `work` in a thread beside; raises what it raises, and ProcessLost when `tend` does."""
        done: Future[None] = Future()

        def finish() -> None:
            try:
                work()
                done.set_result(None)
            except BaseException as error:  # handed on to the one who waits
                done.set_exception(error)

        threading.Thread(target=finish, daemon=True).start()  # daemon: must not outlive a Ctrl-C
        while not wait([done], timeout=_LOOK_SECONDS).done:
            self.tend()
        done.result()

    def tend(self) -> None:
        """One pass: notice what died, start what has waited long enough.

        Raises ProcessLost when a process died more than five times within a minute.
        """
        for one in self._watched:
            if one.start_at is None and not one.process.is_alive():
                self._note_death(one, f"The {one.name} process ended")
            elif one.start_at is not None and time.monotonic() >= one.start_at:
                self._start(one)

    def _start(self, one: _Watched) -> None:
        try:
            one.process.restart()
        except EmbeddedServerError as error:
            one.came_up = False
            self._note_death(one, f"The {one.name} process did not start ({str(error).splitlines()[0]})")
        else:
            one.came_up = True
            one.start_at = None
            self._note(f"The {one.name} process runs again.")

    def _note_death(self, one: _Watched, what: str) -> None:
        pause = one.note_death(time.monotonic())
        if len(one.deaths) > _DEATHS_IN_WINDOW:
            within = "within a minute" if one.came_up else "in a row"
            final = f"The {one.name} process ended {len(one.deaths)} times {within}"
            self._note(f"{final}: giving up.")
            raise ProcessLost(_last_words(one, final))
        line = f"{what}; starting it again in {pause:g} s. Log: {one.log}"
        self._note(line)
        self._say(line)

    def _note(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")


def _last_words(one: _Watched, what: str) -> str:
    return f"{what}. {one.log} ends with:\n{tail(one.log, 15)}"
