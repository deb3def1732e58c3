"""Models: tables that SQL makes of a project's merged data, their order, and their tests."""
