"""Functions that have the same bits everywhere, against the decimal module, which rounds correctly, and against pinned bits."""

import re
from collections.abc import Callable
from decimal import Decimal, localcontext
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.engine import portable
from generation.engine.portable import exp, log

Floats = NDArray[np.float64]
POWERS = np.concatenate([np.linspace(-700, 700, 1401), np.linspace(-1, 1, 2001), [0.0]])
NUMBERS = np.concatenate(
    [np.ldexp(np.linspace(1, 2, 1800, endpoint=False), np.arange(-900, 900)), np.linspace(0.5, 2.5, 2001)]
)


@pytest.mark.parametrize(
    ("function", "exact", "arguments", "units"),
    [(exp, Decimal.exp, POWERS, 2), (log, Decimal.ln, NUMBERS, 3)],
)
def test_they_are_right_to_the_last_bits(
    function: Callable[[Floats], Floats], exact: Callable[[Decimal], Decimal], arguments: Floats, units: int
) -> None:
    with localcontext(prec=40):
        for argument, found in zip(arguments.tolist(), function(arguments).tolist(), strict=True):
            wanted = exact(Decimal(argument))
            assert abs(Decimal(found) - wanted) <= units * Decimal(float(np.spacing(abs(float(wanted)))))


def test_they_keep_the_shape_and_know_their_fixed_points() -> None:
    assert (float(exp(0.0)), float(log(1.0))) == (1.0, 0.0)
    assert exp(np.zeros((2, 3))).shape == log(np.ones((2, 3))).shape == (2, 3)
    assert exp(np.zeros(0)).shape == (0,)


@pytest.mark.parametrize(
    ("values", "digest"), [(exp(POWERS), "fd57ade5acde25d4"), (log(NUMBERS), "52bc2d0c5ef44a2e")]
)
def test_their_bits_are_those_of_every_other_machine(values: Floats, digest: str) -> None:
    assert sha256(values.astype("<f8").tobytes()).hexdigest()[:16] == digest


def test_the_engine_takes_no_other() -> None:
    other = re.compile(r"\b(np|math)\.(exp|exp2|expm1|log|log2|log10|log1p|pow|power|dot|matmul)\(")
    engine = Path(portable.__file__).parent
    assert [
        path.name for path in engine.rglob("*.py") if other.search(path.read_text(encoding="utf-8"))
    ] == []
