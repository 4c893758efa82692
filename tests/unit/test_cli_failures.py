"""Expected failures of a command: one sentence, an exit code, and nothing left behind."""

from pathlib import Path

import pytest

from cli.main import told
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
