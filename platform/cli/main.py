"""The `datasynth` command: reads the arguments, runs a command, tells every expected failure in one sentence.

A command's module is imported when it is chosen, so that help and errors of usage need no numeric library.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import FrameType

from cli.problems import FAILED, REFUSED, SIGNALLED, STOPPING, Failed, Refused, Stopped
from generation.engine.errors import EngineError

_LARGEST_SEED = 2**64 - 1
PROFILES = ("lenient", "standard", "strict")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (data contract §1)."""
    options = _parser().parse_args(arguments)
    return told(lambda: importlib.import_module(f"cli.{options.module}").run(options))


def told(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; an expected failure becomes one sentence on the error stream."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        raise Stopped(number)

    earlier = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        code = command()
        sys.stdout.flush()
        return code
    except Stopped as stopped:
        return _say("stopped", SIGNALLED + stopped.signal_number)
    except Exception as error:
        if asked:  # it reached a library in the middle of a call, which made an error of its own of it
            return _say("stopped", SIGNALLED + asked[0])
        return _failure(error)
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _failure(error: Exception) -> int:
    """The exit code of an expected failure, said in one sentence. Raises any other again."""
    try:
        raise error
    except Refused as problem:
        return _say(problem, REFUSED)
    except Failed as problem:
        return _say(problem, FAILED)
    except EngineError as problem:
        return _say(f"The books would not hold: {str(problem).rstrip('.')}.", FAILED)
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the reader went away; nothing is left to say
        return SIGNALLED + signal.SIGPIPE
    except BrokenProcessPool:
        return _say("a worker was killed, most likely for lack of memory; try fewer --workers", FAILED)
    except MemoryError:
        return _say("there is not enough memory; try fewer --workers", FAILED)
    except OSError as problem:
        place = f"{problem.filename}: " if problem.filename else ""
        return _say(f"{place}{problem.strerror or problem}", FAILED)


def _say(problem: object, code: int) -> int:
    print(f"datasynth: {problem}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="datasynth",
        description="Synthetic finance data that holds together like real books, with the proof attached.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad config or usage, 3 gate failed, 4 altered, 5 unsigned.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_generate(commands)
    _add_continue(commands)
    _add_validate(commands)
    _add_verify(commands)
    _add_evaluate(commands)
    _add_reproduce(commands)
    _add_schema(commands)
    _add_templates(commands)
    _add_packs(commands)
    return parser


_Commands = argparse._SubParsersAction  # the type argparse gives, which it does not export by another name


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, module: str, purpose: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=purpose, description=purpose)
    parser.set_defaults(module=module)
    return parser


def _add_generate(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "generate", "generate", "Make the dataset of a config.")
    parser.add_argument("config", type=Path, metavar="CONFIG.yaml")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="an empty or new folder"
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="instead of the seed in the config")
    parser.add_argument("--workers", type=_workers, metavar="N", help="processes; default: as many as pay")
    parser.add_argument("--formats", type=_formats, metavar="LIST", help="parquet, or parquet,csv")
    parser.add_argument(
        "--closed-after",
        type=_closings,
        default=(),
        metavar="LIST",
        help="months after which the books are closed before they go on: 12,13 with 14 months gives the bytes of twelve months that "
        "were continued twice; default: once, at the end",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _add_continue(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "continue", "continuing", "Keep the books of a dataset on for further months, in place."
    )
    parser.add_argument("dataset", type=Path, metavar="DIR")
    parser.add_argument("--months", type=_months, default=1, metavar="N", help="default: 1")
    parser.add_argument("--workers", type=_workers, metavar="N", help="processes; default: as many as pay")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _add_validate(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "validate", "validate", "List every problem of a config, or estimate its dataset."
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.yaml")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def _add_verify(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "verify", "verify", "Check that a dataset is as it was sealed, and by whom.")
    parser.add_argument("dataset", type=Path, metavar="DIR")
    parser.add_argument("--keys", type=Path, metavar="JWKS.json", help="the only keys to trust")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _add_evaluate(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "evaluate", "evaluate", "Measure a dataset folder and apply a gate.")
    parser.add_argument("dataset", type=Path, metavar="DIR")
    parser.add_argument(
        "--gate", choices=PROFILES, help="default: the gate of the dataset's config, else standard"
    )
    parser.add_argument("--reference", type=Path, metavar="DIR2", help="a dataset to compare with")
    parser.add_argument("-o", "--output", type=Path, metavar="REPORT.json", help="write the whole report")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def _add_reproduce(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "reproduce", "reproduce", "Make a dataset again from its manifest and compare every byte."
    )
    parser.add_argument("dataset", type=Path, metavar="DIR")
    parser.add_argument("--workers", type=_workers, metavar="N", help="processes; default: as many as pay")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")


def _add_schema(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "schema", "schema", "Print the JSON Schema of a config, or the dictionary of all tables."
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--config",
        dest="tables",
        action="store_false",
        default=False,
        help="what a config may say (the default)",
    )
    which.add_argument("--tables", action="store_true", help="every table and column that a dataset has")


def _add_templates(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "templates", "templates", "List the shipped templates, or print one as YAML.")
    parser.set_defaults(name=None)
    show = parser.add_subparsers(metavar="show NAME").add_parser("show", help="print one as YAML")
    show.add_argument("name", metavar="NAME")


def _add_packs(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "packs", "packs", "List the country packs, or print or check one.")
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(metavar="ACTION")
    show = actions.add_parser("show", help="print one as TOML")
    show.add_argument("country", metavar="COUNTRY")
    show.set_defaults(action="show")
    check = actions.add_parser("check", help="list every problem of a pack file")
    check.add_argument("file", type=Path, metavar="PACK.toml")
    check.set_defaults(action="check")
    actions.add_parser("schema", help="print the JSON Schema of a pack file").set_defaults(action="schema")


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_SEED):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to 2^64 − 1, not {text!r}")
    return int(text)


def _months(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 119):
        raise argparse.ArgumentTypeError(f"months are a whole number from 1 to 119, not {text!r}")
    return int(text)


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError(f"workers are a whole number from 1 to 256, not {text!r}")
    return int(text)


def _closings(text: str) -> tuple[int, ...]:
    months = [int(part) for part in text.split(",") if part.isascii() and part.isdigit()]
    if len(months) != text.count(",") + 1 or months != sorted(set(months)) or months[0] < 1:
        raise argparse.ArgumentTypeError("must be ascending numbers of months, as in 12,13")
    return tuple(months)


def _formats(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
