"""The page of journeys is recorded without changing its commands."""

from __future__ import annotations

from dataclasses import replace

from journeys import MOST_LINES, PAGE, record, shorten
from walkthrough import Result, steps_of


def commands(text: str) -> list[str]:
    return [step.script for step in steps_of(text, "page.md")]


def test_recording_replaces_outputs_and_times_only() -> None:
    text = PAGE.read_text()
    blocks = [step for step in steps_of(text, "page.md") if not step.file]
    recorded = record(text, [Result(step, f"output {place}\n", 1.25) for place, step in enumerate(blocks)])
    assert commands(recorded) == commands(text)
    shown = [step for step in steps_of(recorded, "page.md") if not step.file]
    assert [step.output for step in shown] == [f"output {place}\n(1.2 s)\n" for place in range(len(blocks))]
    assert recorded.count("Total: ") == 3
    again = [Result(replace(step), f"output {place}\n", 1.25) for place, step in enumerate(shown)]
    assert record(recorded, again) == recorded


def test_page_is_recorded() -> None:
    text = PAGE.read_text()
    assert "Total: not measured." not in text
    assert all(step.output and step.output.endswith(" s)\n") for step in steps_of(text, "page.md") if not step.file)


def test_long_outputs_are_shortened() -> None:
    lines = [f"line {number}\n" for number in range(100)]
    assert shorten("".join(lines[:MOST_LINES])) == "".join(lines[:MOST_LINES])
    shown = shorten("".join(lines)).splitlines()
    assert (len(shown), shown[0], shown[-1]) == (MOST_LINES + 1, "line 0", "line 99")
    assert shown.count("…") == 1
