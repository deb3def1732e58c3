"""Statistics in NumPy: forecasts, seasons, anomalies. No I/O, no AWS.

Sums over time are taken element by element in the order of time, and nothing but `+ - * /` and square roots decides
what a fit does, so that a series gives the same bytes on every machine and whatever other series it is computed with.
"""
