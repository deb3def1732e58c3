"""Sums of doubles that do not depend on their order."""

from __future__ import annotations

import math
from fractions import Fraction

# Bits of a scaled double before the point; a sum of 2^36 of them fits 127 bits.
BITS = 90
# Factors beyond would not be doubles.
_LARGEST_POWER = 1000


def power_above(largest: float) -> int:
    """The smallest power of two above an absolute value, as an exponent."""
    return max(math.frexp(largest)[1], BITS - _LARGEST_POWER)


def unit(cell: str, power: int) -> str:
    """The SQL of a double divided by a power of two."""
    return (
        f"({cell} * '{2.0**-power!r}'::DOUBLE)" if power <= _LARGEST_POWER else f"({cell} / '{2.0**power!r}'::DOUBLE)"
    )


def exact_sum(cell: str) -> str:
    """The SQL of the sum of doubles between -1 and 1, as the text of a whole number.

    Each is rounded to `BITS` bits after the point, far below the last bit of any result.
    """
    return f"coalesce(sum(({cell} * '{2.0**BITS!r}'::DOUBLE)::HUGEINT), 0)::VARCHAR"


def sum_of(text: str) -> Fraction:
    """The sum that `exact_sum` returned."""
    return Fraction(int(text), 2**BITS)


def times_power(value: Fraction, power: int) -> float:
    """A number times a power of two, as the nearest double."""
    return float(value * Fraction(2) ** power)


def root(value: Fraction) -> float:
    """The square root of a number."""
    if value <= 0:
        return 0.0
    # Scaled so that neither large nor small numbers leave the range of doubles.
    shift = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(float(value / Fraction(4) ** shift)), shift)
