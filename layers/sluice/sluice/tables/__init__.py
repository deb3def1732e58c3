"""Reading tables in SQL, for algorithms: their columns, values, time series and profiles."""
