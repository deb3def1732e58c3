"""Records made into rows one by one, in Python: for whatever the engine cannot read, and what it is compared with."""
