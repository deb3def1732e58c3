"""What the benchmarks compare with: what a team would write instead."""
