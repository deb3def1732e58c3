"""Reading record by record in Python: for what the engine cannot read, and as the reference in tests."""
