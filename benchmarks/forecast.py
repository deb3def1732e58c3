"""`forecast` on many series beside statsmodels, which selects among the same models by the same criterion.

Both forecast the last twelve of 200 values of each series from those before. statsmodels takes seconds for a series, so
it forecasts some of them only; its time for all is that time in proportion. Then the packages that either needs: how
long Python takes to import them, and their size on disk.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.support import Comparison, lower_is_better, show
from sluice.numeric.accuracy import mase, seasonal_naive
from sluice.numeric.forecasts import SeriesForecast, forecast
from sluice.numeric.smoothing import Model, candidates

SERIES, PEER_SERIES, VALUES, HORIZON, PERIOD = 500, 20, 200, 12, 12
PEER = "statsmodels ETSModel, best AICc of the same models"
IMPORTS = {
    "ours": "from sluice.numeric.forecasts import forecast",
    "peer": "from statsmodels.tsa.exponential_smoothing.ets import ETSModel",
}
PACKAGES = {"ours": ["numpy"], "peer": ["numpy", "pandas", "scipy", "statsmodels", "patsy"]}
LEFT_OUT = {"tests", "__pycache__", "f2py", "distutils"}  # the layers have none of these


def series_of(number: int) -> list[float]:
    """A series of one of five shapes, with noise."""
    draws = np.random.default_rng(number)
    noise, times = draws.standard_normal(VALUES), np.arange(VALUES)
    wave = np.sin(2 * np.pi * times / PERIOD + number) + 0.4 * np.cos(4 * np.pi * times / PERIOD)
    shapes = (
        100 + np.cumsum(noise),
        50 + draws.uniform(0.2, 1) * times + 3 * noise,
        100 + 10 * wave + 2 * noise,
        100 + draws.uniform(0.2, 1) * times + 10 * wave + np.cumsum(noise),
        (100 + draws.uniform(0.5, 2) * times) * (1 + 0.2 * wave) * (1 + 0.03 * noise),
    )
    return [float(value) for value in shapes[number % len(shapes)]]


def peer_fit(model: Model, values: list[float]) -> Any:
    """The fit of a model by statsmodels; None if it fails."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    try:
        return ETSModel(
            np.array(values),
            error="mul" if model.multiplies else "add",
            trend=None if model.trend == "none" else "add",
            damped_trend=model.trend == "damped",
            seasonal={"none": None, "additive": "add", "multiplicative": "mul"}[model.season],
            seasonal_periods=model.period if model.period > 1 else None,
        ).fit(disp=False)
    except (ValueError, np.linalg.LinAlgError):
        return None


def peer_forecast(values: list[float]) -> list[float]:
    """The forecast of the model with the lowest AICc."""
    fits = [fit for fit in (peer_fit(model, values) for model in candidates(PERIOD)) if fit is not None]
    return [float(value) for value in min(fits, key=lambda fit: fit.aicc).forecast(HORIZON)]


def mean_error(forecasts: list[list[float]], series: list[list[float]]) -> float:
    """The mean MASE on the last values."""
    errors = [
        mase(values[-HORIZON:], guesses, values[:-HORIZON], PERIOD)
        for guesses, values in zip(forecasts, series, strict=True)
    ]
    return math.fsum(error for error in errors if error is not None) / len(errors)


def inside(results: list[SeriesForecast], series: list[list[float]], level: float) -> float:
    """The share of the last values that are inside the interval of a level."""
    width = NormalDist().inv_cdf(0.5 + level / 2)
    hits = [
        abs(value - mean) <= width * deviation
        for result, values in zip(results, series, strict=True)
        for value, mean, deviation in zip(values[-HORIZON:], result.means, result.deviations, strict=True)
    ]
    return sum(hits) / len(hits)


def import_seconds(statement: str) -> float:
    """The least time of five that a new interpreter takes for an import, less that of an empty one."""

    def least(code: str) -> float:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - begun)
        return min(times)

    return least(statement) - least("pass")


def megabytes(packages: list[str]) -> float:
    """The size of installed packages without their tests."""
    size = 0
    for package in packages:
        for file in importlib.metadata.files(package) or []:
            path = Path(str(file.locate()))
            if not LEFT_OUT & set(file.parts) and path.is_file():
                size += path.stat().st_size
    return size / 1e6


def main() -> int:
    """Compare; 1 if ours is less accurate than the peer by more than 2 %."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--series", type=int, default=SERIES)
    parser.add_argument("--peer-series", type=int, default=PEER_SERIES, help="how many of them statsmodels forecasts")
    options = parser.parse_args()
    series = [series_of(number) for number in range(options.series)]
    before = [values[:-HORIZON] for values in series]
    # Seconds of the processor, which do not depend on what else the machine does.
    begun = time.process_time()
    # Nothing is held out again.
    results = forecast(before, PERIOD, HORIZON, hold_out=False)
    seconds = time.process_time() - begun
    ours = [result.means for result in results]
    some = min(options.peer_series, options.series)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer_fit(Model("none"), before[0])  # imports
        begun = time.process_time()
        theirs = [peer_forecast(values) for values in before[:some]]
        peer_seconds = (time.process_time() - begun) / some * len(series)
    naive = [seasonal_naive(values, PERIOD, HORIZON) for values in before[:some]]
    error, peer_error = mean_error(ours[:some], series[:some]), mean_error(theirs, series[:some])
    comparisons: list[Comparison] = [
        lower_is_better("forecast", f"{len(series)} series of {VALUES} values", seconds, peer_seconds, PEER, "s", 3),
        lower_is_better("forecast", f"MASE of {some} series", error, peer_error, PEER, "", 0.98),
        lower_is_better(
            "forecast", f"MASE of {some} series", error, mean_error(naive, series[:some]), "seasonal-naive", "", 1
        ),
        lower_is_better(
            "forecast", "import", import_seconds(IMPORTS["ours"]), import_seconds(IMPORTS["peer"]), PEER, "s"
        ),
        lower_is_better(
            "forecast", "packages", megabytes(PACKAGES["ours"]), megabytes(PACKAGES["peer"]), PEER, "MB"
        ),
    ]  # fmt: skip
    show(comparisons)
    for level in (0.8, 0.95):
        print(f"intervals of {level:.0%} have {inside(results, series, level):.1%} of the values of all series")
    return 1 if error > 1.02 * peer_error else 0


if __name__ == "__main__":
    sys.exit(main())
