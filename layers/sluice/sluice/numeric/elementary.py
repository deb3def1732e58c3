"""Logarithm and exponential function out of `+ - * /`, which give the same bits on every processor.

Those of NumPy and of C libraries choose their code by the processor, and differ in the last bit.
"""

from __future__ import annotations

import numpy as np

from sluice.numeric.batch import Floats

LN2 = 0.6931471805599453
_TERMS = 22  # enough for a double


def logarithm(values: Floats) -> Floats:
    """The natural logarithm of positive finite numbers; NaN of others."""
    mantissa, exponent = np.frexp(np.where((values > 0) & np.isfinite(values), values, np.nan))
    # ln m = 2 artanh((m - 1) / (m + 1)), and |(m - 1) / (m + 1)| <= 1/3.
    ratio = (mantissa - 1) / (mantissa + 1)
    square, power, result = ratio * ratio, ratio, ratio
    for term in range(1, _TERMS):
        power = power * square
        result = result + power / (2 * term + 1)
    logarithms: Floats = 2 * result + exponent * LN2
    return logarithms


def exponential(values: Floats) -> Floats:
    """The exponential function; its argument must be between -700 and 700."""
    whole = np.rint(np.where(np.isfinite(values), values, 0.0) / LN2)
    rest = values - whole * LN2
    term, result = np.ones_like(rest), np.ones_like(rest)
    for number in range(1, _TERMS):
        term = term * rest / number
        result = result + term
    return np.ldexp(result, whole.astype(np.int64))
