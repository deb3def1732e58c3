"""The rules and shapes of Sluice, without I/O and without AWS."""
