"""What ends a command early: something for the user to correct, or a failure of the machine; exit codes."""

from __future__ import annotations

import signal

# Exit codes of the data contract §1; 1 and 128 + n are the customary ones for a failure and a signal.
DONE = 0
FAILED = 1
REFUSED = 2
GATE_FAILED = 3
ALTERED = 4
UNSIGNED = 5
SIGNALLED = 128

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refused(Exception):
    """Bad input or usage: nothing was touched, the message says what to change."""


class Failed(Exception):
    """The machine could not do it: no space, no permission, a worker that died."""


class Stopped(KeyboardInterrupt):
    """Somebody asked the command to end: Ctrl-C, or a signal that means the same."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
