"""What all rings may use."""

pytest_plugins = ["support.shared_stack"]
