"""Runs the `datasynth` command in a process of its own, with a data folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

SMALL_CONFIG = """\
version: 1
name: small
seed: 7
period: {start: 2025-01-01, months: 3}
group: {name: Alpha, currency: EUR}
companies:
  - {code: "1000", name: Alpha GmbH, country: DE, currency: EUR, industry: manufacturing, annual_revenue: 9000000, employees: 40, framework: hgb, chart: {size: small}}
  - {code: "2000", name: Beta Inc, country: US, currency: USD, industry: retail, annual_revenue: 7000000, employees: 30, framework: us_gaap, chart: {size: small}}
volume: {journal_lines_per_year: 20000}
quality: {gate: lenient}
"""  # noqa: E501  # one company a line, as customers write it


@dataclass(frozen=True)
class CommandLine:
    """A folder to work in and the environment of the command."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: object, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=self.folder,
            env={
                **os.environ,
                "DATASYNTH_HOME": str(self.folder / "home"),
                **self.environment,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run to the end; a traceback is never an answer."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=600)
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a line of shell in the folder, with the environment of the command."""
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={**os.environ, "DATASYNTH_HOME": str(self.folder / "home"), **self.environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def command_line(folder: Path, config: str = SMALL_CONFIG) -> CommandLine:
    """A command line whose folder holds config.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(config)
    return CommandLine(folder)
