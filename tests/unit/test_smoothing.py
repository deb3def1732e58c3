"""Exponential smoothing against statsmodels, and against what the models themselves say."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.numeric.accuracy import mase, seasonal_naive, smape
from sluice.numeric.batch import Batch
from sluice.numeric.elementary import exponential, logarithm
from sluice.numeric.forecasts import SeriesForecast, forecast
from sluice.numeric.seasons import detect_period
from sluice.numeric.smoothing import Model, one_step_errors
from sluice.numeric.smoothing_fit import Fit, fit_model
from sluice.numeric.smoothing_forecast import outlook

PERIOD = 4


def series_of(shape: str, periods: int, seed: int) -> list[float]:
    """A series with a known shape and noise."""
    noise = np.random.default_rng(seed).standard_normal(periods)
    time = np.arange(periods)
    wave = np.sin(2 * np.pi * time / PERIOD) + 0.5 * np.cos(4 * np.pi * time / PERIOD)
    shapes = {
        "level": 100 + np.cumsum(noise),
        "trend": 50 + 0.8 * time + 3 * noise,
        "season": 100 + 10 * wave + 2 * noise,
        "both": 100 + 0.5 * time + 10 * wave + 2 * noise,
        "growing": (100 + 1.5 * time) * (1 + 0.2 * wave) * (1 + 0.03 * noise),
    }
    return [float(value) for value in shapes[shape]]


def peer(model: Model, values: list[float]) -> Any:
    """The fit of the same model by statsmodels."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ETSModel(
            np.array(values),
            error="mul" if model.multiplies else "add",
            trend=None if model.trend == "none" else "add",
            damped_trend=model.trend == "damped",
            seasonal={"none": None, "additive": "add", "multiplicative": "mul"}[model.season],
            seasonal_periods=model.period if model.period > 1 else None,
        ).fit(disp=False)


def log_likelihood(fit: Fit, values: int) -> float:
    """What AICc was computed from."""
    size = fit.model.parameters
    return -(float(fit.aicc[0]) - 2 * size - 2 * size * (size + 1) / (values - size - 1)) / 2


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        ("level", Model("none")),
        ("trend", Model("additive")),
        ("level", Model("damped")),
        ("season", Model("none", "additive", PERIOD)),
        ("both", Model("additive", "additive", PERIOD)),
        ("growing", Model("additive", "multiplicative", PERIOD)),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_same_model_fits_as_well_as_that_of_statsmodels(shape: str, model: Model) -> None:
    values = series_of(shape, 72, seed=1)
    fit, other = fit_model(Batch.of([values]), model), peer(model, values)
    assert log_likelihood(fit, len(values)) >= other.llf - 0.05
    future, expected = outlook(fit, 12), other.forecast(12)
    # A better fit may say something else; what it says is close on the scale of the noise.
    noise = math.sqrt(other.mse) * (np.mean(values) if model.multiplies else 1)
    assert np.abs(future.means[:, 0] - expected).max() < 0.35 * noise


@pytest.mark.parametrize("shape", ["level", "trend", "season", "both"])
def test_intervals_agree_with_statsmodels(shape: str) -> None:
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    period = PERIOD if shape in ("season", "both") else 1
    model = Model("additive" if shape in ("trend", "both") else "none", "additive" if period > 1 else "none", period)
    values = series_of(shape, 72, seed=2)
    fit = fit_model(Batch.of([values]), model)
    start = fit.initial
    names = {"alpha": "smoothing_level", "beta": "smoothing_trend", "gamma": "smoothing_seasonal"}
    given_values = {names[name]: float(getattr(start, name)[0, 0]) for name in model.smoothing}
    given_values["initial_level"] = float(start.level[0, 0])
    if model.trend != "none":
        given_values["initial_trend"] = float(start.trend[0, 0])
    for lag in range(period if period > 1 else 0):
        given_values[f"initial_seasonal.{lag}"] = float(start.season[-lag - 1, 0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = ETSModel(
            pd.Series(values),
            trend="add" if model.trend != "none" else None,
            seasonal="add" if period > 1 else None,
            seasonal_periods=period if period > 1 else None,
        )
        result = other.smooth([given_values[name] for name in other.param_names])
        frame = result.get_prediction(start=72, end=72 + 17).summary_frame(alpha=0.05)
    future = outlook(fit, 18)
    assert np.allclose(future.means[:, 0], frame["mean"], rtol=1e-8)
    # statsmodels divides by the number of values, not by the degrees of freedom.
    share = math.sqrt(72 / (72 - (model.parameters - 1)))
    half = 1.959963984540054 * np.sqrt(future.variances[:, 0])
    assert np.allclose(half / share, (frame["pi_upper"] - frame["pi_lower"]) / 2, rtol=1e-3)


def test_relative_errors_have_the_variance_of_simulated_futures() -> None:
    model = Model("additive", "multiplicative", 4)
    time = np.arange(60)
    noise = np.random.default_rng(3).standard_normal(60)
    values = (100 + time) * (1 + 0.2 * np.sin(np.pi * time / 2)) * (1 + 0.1 * noise)
    fit = fit_model(Batch.of([list(values)]), model)
    for name, value in {"alpha": 0.4, "beta": 0.05, "gamma": 0.3}.items():
        getattr(fit.states, name)[:] = value
    future = outlook(fit, 10)
    states = fit.states
    level, trend = np.full(200_000, states.level[0, 0]), np.full(200_000, states.trend[0, 0])
    season = [np.full(200_000, value) for value in states.season[:, 0, 0]]
    errors = np.random.default_rng(4).standard_normal((10, 200_000)) * math.sqrt(fit.variance[0])
    for period, error in enumerate(errors):
        base = level + trend
        paths = base * season[period % 4] * (1 + error)
        level, trend = base * (1 + 0.4 * error), trend + 0.05 * base * error
        season[period % 4] = season[period % 4] * (1 + 0.3 * error)
        assert paths.mean() == pytest.approx(future.means[period, 0], rel=0.01)
        assert paths.std() == pytest.approx(math.sqrt(future.variances[period, 0]), rel=0.02)


def test_forecasts_are_not_worse_than_those_of_statsmodels() -> None:
    ours, theirs = [], []
    series = [series_of("both", 72, seed=10), series_of("growing", 72, seed=11), series_of("trend", 72, seed=12)]
    models = [Model("additive", "additive", PERIOD), Model("additive", "multiplicative", PERIOD), Model("additive")]
    results = forecast([values[:60] for values in series], PERIOD, 12, hold_out=False)
    for values, model, mine in zip(series, models, results, strict=True):
        before, after = values[:60], values[60:]
        ours.append(mase(after, mine.means, before, PERIOD))
        theirs.append(mase(after, list(peer(model, before).forecast(12)), before, PERIOD))
    # statsmodels is given the model that made the series, ours is selected.
    assert sum(filter(None, ours)) <= 1.02 * sum(filter(None, theirs))


SHAPES = (("both", 36), ("trend", 30), ("growing", 60), ("level", 41), ("season", 36))
MIXED = [series_of(shape, periods, seed) for seed, (shape, periods) in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def mixed() -> list[SeriesForecast]:
    return forecast(MIXED, PERIOD, 5)


def test_series_is_independent_of_other_series(mixed: list[SeriesForecast]) -> None:
    assert forecast(MIXED[::-1], PERIOD, 5) == mixed[::-1]
    assert forecast([MIXED[1]], PERIOD, 5) == [mixed[1]]


SCRIPT = """
import numpy
from sluice.numeric.batch import Batch
from sluice.numeric.smoothing import Model
from sluice.numeric.smoothing_fit import fit_model
if {features}:
    print(" ".join(numpy._core._multiarray_umath.__cpu_dispatch__))
fit = fit_model(Batch.of([{values}]), Model("additive", "multiplicative", {period}))
print(fit.aicc.tobytes().hex(), fit.variance.tobytes().hex(), fit.states.season.tobytes().hex())
"""


def test_bytes_do_not_depend_on_the_processor() -> None:
    def fitted(features: str | None) -> list[str]:
        # With fewer features NumPy has other code for exp and log, whose last bits differ.
        environment = {**os.environ, **({"NPY_DISABLE_CPU_FEATURES": features} if features else {})}
        script = SCRIPT.format(values=MIXED[2], period=PERIOD, features=features is None)
        command = [sys.executable, "-W", "ignore", "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    features, usual = fitted(None)
    assert fitted(features) == [usual]


def test_selected_models_have_the_parts_of_the_series(mixed: list[SeriesForecast]) -> None:
    models = [item.model for item in mixed]
    assert models[0] in ("ETS(A,A,A)", "ETS(M,A,M)")
    assert models[1] in ("ETS(A,A,N)", "ETS(A,Ad,N)")
    assert models[2] == "ETS(M,A,M)"
    assert not models[4].endswith(",N)")


@settings(max_examples=8, deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(-20, 20), st.integers(0, 100))
def test_forecast_moves_with_shift_and_scale(shift: float, power: int, seed: int) -> None:
    values = series_of("trend", 30, seed)
    model, factor = Model("additive"), 2.0**power
    moved = [factor * value + shift for value in values]
    first, second = (outlook(fit_model(Batch.of([item]), model), 4) for item in (values, moved))
    noise = factor * np.sqrt(first.variances)
    assert np.abs(second.means - (factor * first.means + shift)).max() < 1e-3 * noise.max() + 1e-9 * abs(shift)
    assert np.allclose(np.sqrt(second.variances), noise, rtol=1e-3, atol=1e-9 * abs(shift))


@settings(max_examples=6, deadline=None)
@given(st.lists(st.lists(st.floats(-1e90, 1e90), min_size=1, max_size=20), min_size=1, max_size=4))
def test_any_series_has_a_finite_forecast(series: list[list[float]]) -> None:
    for result in forecast(series, 4, 6):
        assert len(result.means) == 6
        assert all(map(math.isfinite, [*result.means, *result.deviations, *result.parameters.values()]))


def test_constant_series_stays_constant() -> None:
    [result] = forecast([[7.5] * 20], PERIOD, 3)
    assert result.means == pytest.approx([7.5] * 3)
    assert max(result.deviations) < 1e-6


def test_straight_line_goes_on() -> None:
    [result] = forecast([[3.0 + 2 * time for time in range(30)]], 1, 3)
    assert result.model == "ETS(A,A,N)"
    assert result.means == pytest.approx([63, 65, 67], rel=1e-5)


def test_missing_values_move_nothing_on() -> None:
    values = series_of("both", 48, seed=5)
    gaps = [math.nan if time in (5, 30, 31, 44) else value for time, value in enumerate(values)]
    whole, some = forecast([values, gaps], PERIOD, 6, hold_out=False)
    assert np.allclose(whole.means, some.means, atol=2 * whole.deviations[0])
    model = Model("none")
    states = fit_model(Batch.of([gaps]), model).initial
    errors = one_step_errors(model, Batch.of([gaps]), states).errors
    assert errors[[5, 30, 31, 44]].tolist() == [[[0.0]]] * 4


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_values_repeat_without_intervals(count: int) -> None:
    [result] = forecast([[float(value) for value in range(count)]], 1, 2)
    assert result == SeriesForecast("naive", [count - 1.0] * 2)


def test_few_seasons_give_no_seasonal_model() -> None:
    [result] = forecast([series_of("season", 20, seed=1)], 12, 3, hold_out=False)
    assert result.model.endswith(",N)")


def test_values_that_are_not_positive_have_no_relative_errors() -> None:
    values = [value - 100 for value in series_of("both", 40, seed=1)]
    assert not len(fit_model(Batch.of([values]), Model("none", "multiplicative", PERIOD)).series)


def test_long_seasons_are_forecast() -> None:
    time = np.arange(120)
    values = 50 + 5 * np.sin(2 * np.pi * time / 30) + 0.1 * np.random.default_rng(1).standard_normal(120)
    [result] = forecast([list(values)], 30, 30, hold_out=False)
    assert np.abs(np.array(result.means) - (50 + 5 * np.sin(2 * np.pi * np.arange(120, 150) / 30))).max() < 0.5
    assert len(result.season) == 30


@pytest.mark.parametrize(("noise", "expected"), [(0.3, 12), (1.0, 12), (100.0, 1)])
def test_season_is_detected(noise: float, expected: int) -> None:
    draws = np.random.default_rng(6).standard_normal(120)
    values = [math.sin(math.pi * time / 6) + 0.05 * time + noise * draws[time] for time in range(120)]
    assert detect_period(Batch.of([values]), [3, 12, 24]) == expected


def test_season_of_a_line_and_of_a_constant_is_none() -> None:
    line, constant = [float(time) for time in range(100)], [1.0] * 100
    assert detect_period(Batch.of([line, constant]), range(2, 61)) == 1


def test_seasonal_naive_repeats_the_last_season() -> None:
    assert seasonal_naive([1, 2, 3, 4, 5, math.nan, 7], 3, 4) == [5, 3, 7, 5]
    assert seasonal_naive([1, 2], 1, 2) == [2, 2]
    assert seasonal_naive([1, 2], 4, 5) == [2, 2, 1, 2, 2]


def test_errors_of_forecasts() -> None:
    assert mase([3, 5], [2, 2], [1, 2, 4], 1) == pytest.approx(2 / 1.5)
    assert mase([3], [2], [1, 1], 1) is None
    assert smape([1, 0, math.nan], [3, 0, 1]) == pytest.approx(50)
    assert smape([math.nan], [1]) is None


@given(st.floats(1e-300, 1e300), st.floats(-700, 700))
def test_elementary_functions_are_those_of_the_library(positive: float, exponent: float) -> None:
    assert float(logarithm(np.array(positive))) == pytest.approx(math.log(positive), rel=1e-14, abs=1e-15)
    assert float(exponential(np.array(exponent))) == pytest.approx(math.exp(exponent), rel=1e-13)
