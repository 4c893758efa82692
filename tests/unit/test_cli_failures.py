"""Expected failures of a command: one sentence, an exit code, and nothing left behind."""

import signal
from pathlib import Path

import pytest

from cli.main import told
from cli.problems import Stopped
from cli.staging import staged
from generation.engine.errors import EngineError


def test_books_that_would_not_hold_are_said_in_one_sentence_and_cleared_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> int:
        with staged(tmp_path / "out") as root:
            (root / "schema.json").write_text("{}")
            raise EngineError("1000: the bank account is overdrawn at the end of a day")

    code = told(command)

    errors = capsys.readouterr().err
    assert code == 1
    assert (
        errors
        == "datasynth: The books would not hold: 1000: the bank account is overdrawn at the end of a day.\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_signal_that_a_library_turned_into_an_error_of_its_own_is_still_a_signal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As native code does that a signal reaches in the middle of a call."""

    def command() -> int:
        with staged(tmp_path / "out"):
            try:
                signal.raise_signal(signal.SIGTERM)
            except Stopped:
                raise OSError("could not write") from None
        return 0

    code = told(command)

    assert code == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "datasynth: stopped\n"
    assert not (tmp_path / "out").exists()
