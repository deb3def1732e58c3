"""Commands on the pages that tests do not run name commands, options, targets and operations that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name

from sluice_cli.main import cli
from support.template import ROOT
from walkthrough import MARKS, PageError, Step, matches, run_page, steps_of

PAGES = [page for folder in ("tutorial", "how-to") for page in sorted((ROOT / "docs" / folder).glob("*.md"))]
MARKED = [step for page in PAGES for step in steps_of(page.read_text(), page.name) if step.mark]


def commands(script: str) -> list[list[str]]:
    """The words of each command of a script, without comments and variables before it."""
    lines = [shlex.split(line, comments=True) for line in script.replace("\\\n", " ").splitlines()]
    bare = [words[next((at for at, word in enumerate(words) if "=" not in word), len(words)) :] for words in lines]
    return [words for words in bare if words]


def unknown_of_sluice(words: list[str]) -> list[str]:
    """The first words of a command of sluice that do not exist: a command or an option."""
    command: click.Command = cli
    context = click.Context(cli, info_name="sluice")
    options: set[str] = set()
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return [word]
            command = found
            options = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
        elif word.startswith("-") and word not in options:
            return [word]
    return []


def unknown_of_aws(words: list[str]) -> list[str]:
    """The operation or the options of a command of aws that do not exist.

    The command line calls the service S3 `s3api`.
    """
    service, operation, *rest = words
    model = botocore.session.get_session().get_service_model(service.removesuffix("api"))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        return [operation]
    shape = model.operation_model(operations[operation]).input_shape
    known = {f"--{xform_name(name, '-')}" for name in (shape.members if shape else ())} | {"--query"}
    return [word for word in rest if word.startswith("--") and word not in known]


def unknown_of_make(words: list[str]) -> list[str]:
    targets = re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    known = {name for names in targets for name in names.split()}
    return [word for word in words if "=" not in word and word not in known]


def unknown_of_sam(words: list[str]) -> list[str]:
    known = {"deploy": {"--config-env", "--guided"}, "delete": {"--stack-name"}}
    options = known.get(words[0])
    return (
        [words[0]] if options is None else [word for word in words[1:] if word.startswith("-") and word not in options]
    )


PROGRAMS = {"sluice": unknown_of_sluice, "aws": unknown_of_aws, "make": unknown_of_make, "sam": unknown_of_sam}


def unknown(words: list[str]) -> list[str]:
    """The words of a command that its program does not know."""
    program = words[0].rpartition("/")[2]
    return PROGRAMS[program](words[1:]) if program in PROGRAMS else []


@pytest.mark.parametrize("step", MARKED, ids=lambda step: f"{step.page}:{step.line}")
def test_commands_that_are_not_run_exist(step: Step) -> None:
    assert [(words, wrong) for words in commands(step.script) if (wrong := unknown(words))] == []


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("sluice aply x", "aply"),
        ("sluice apply x --now", "--now"),
        ("sluice secrets put x", "put"),
        ("PORT=1 make upp", "upp"),
        ("aws dynamodb restore-tables", "restore-tables"),
        ("aws s3api delete-object --bucket b --name k", "--name"),
        (".venv/bin/sam destroy", "destroy"),
    ],
)
def test_wrong_commands_are_noticed(command: str, wrong: str) -> None:
    (words,) = commands(command)
    assert unknown(words) == [wrong]


def test_every_block_of_commands_is_run_or_says_why_not() -> None:
    for page in PAGES:
        text = page.read_text()
        stack = [
            step
            for step in steps_of(text, page.name)
            if re.search(r"^(\w+=\S+ )?(make|aws|\S*sam) ", step.script, re.M)
        ]
        assert [step.line for step in stack if not step.mark] == [], page.name
    assert {step.mark for step in MARKED} == set(MARKS), "every mark is used"


PAGE = """
```yaml
# a/b.yaml
x: 1
```

```sh
cat a/b.yaml
echo "exit code: $HOME" >&2
```

```text
# a/b.yaml
x: 1
exit code: …
```

```sh
# On AWS
exit 1
```

```sh
{}
```
"""


def test_a_page_is_run_as_readers_do(tmp_path: Path) -> None:
    results = list(run_page(steps_of(PAGE.format("echo last"), "page.md"), tmp_path, {}))
    assert [result.step.line for result in results] == [2, 7, 23]
    assert matches(results[1].step.output or "", results[1].output)
    assert results[2].output == "last\n"


def test_a_failed_command_ends_the_page(tmp_path: Path) -> None:
    with pytest.raises(PageError, match=r"page\.md:23 failed:\s+echo why; false\s+It printed:\s+why"):
        list(run_page(steps_of(PAGE.format("echo why; false"), "page.md"), tmp_path, {}))


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\nb", "a\n", False),
        ("a\nb", "a\nb\nc\n", False),
        ("a …\nb", "a 1 2  \nb\n", True),
        ("…\nb", "a\na\nb\n", True),
        ("…\nb", "b\n", True),
        ("a\n…", "b\n", False),
        ("version …, complete", "version 12, stale\n", False),
    ],
)
def test_outputs_are_compared(expected: str, output: str, same: bool) -> None:
    assert matches(expected, output) == same
