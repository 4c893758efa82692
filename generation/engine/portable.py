"""Elementary functions whose results have the same bits on every processor.

Libraries choose another approximation for each kind of processor, and these differ in the last bit. An exchange rate is rounded to
ten-billionths: one bit decides its last digit about once in ten thousand rates, and with it the bytes of the books. Here are only
operations that IEEE 754 (2019, section 5) rounds in one way: sums, products, quotients and powers of two, one after the other.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# The logarithm of two in two parts; the first has 21 zeros at its end, so that its product with an exponent is exact.
_HIGH: Final = float.fromhex("0x1.62e42feep-1")
_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
_SERIES: Final = tuple(
    1 / math.factorial(power) for power in range(14, -1, -1)
)  # of exp, up to half the logarithm of two
_ODD: Final = tuple(1 / power for power in range(23, 0, -2))  # of artanh, up to (√2 - 1) / (√2 + 1)


def exp(x: ArrayLike) -> Floats:
    """e to the power of x, any shape, -700 to 700; at most two units in the last place off.

    Method: x = k ln 2 + r, and the Taylor series of exp(r) by Horner's rule.
    """
    power = np.asarray(x, np.float64)
    twos = np.rint(power / (_HIGH + _LOW))
    rest = (power - twos * _HIGH) - twos * _LOW
    sums = np.full_like(rest, _SERIES[0])
    for factor in _SERIES[1:]:
        sums = np.multiply(sums, rest, out=sums)
        sums += factor
    return np.asarray(np.ldexp(sums, twos.astype(np.int32)))


def log(x: ArrayLike) -> Floats:
    """Natural logarithm of x, any shape, positive and finite; at most three units in the last place off.

    Method: x = m 2^k with m from √½ to √2, and ln m = 2 artanh((m - 1) / (m + 1)).
    """
    part, twos = np.frexp(np.asarray(x, np.float64))
    below = part < math.sqrt(0.5)
    part, twos = np.where(below, 2 * part, part), twos - below
    ratio = (part - 1) / (part + 1)
    square = ratio * ratio
    sums = np.full_like(ratio, _ODD[0])
    for factor in _ODD[1:]:
        sums = sums * square + factor
    return np.asarray(twos * _HIGH + (2 * ratio * sums + twos * _LOW))
