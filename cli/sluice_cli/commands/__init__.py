"""The commands, by topic. `REGISTRY` names them all; a command's module is imported when the command runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One command.

    Args:
        name: what the user types.
        module: the module of this package that has it.
        topic: the heading in the help.
        help: one line for the list of commands.
        attribute: its name in the module; null for `name`.
    """

    name: str
    module: str
    topic: str
    help: str
    attribute: str | None = None


_BLUEPRINTS = "Definitions"
_RUNS = "Runs"
_DATA = "Data"
_ACCESS = "Access"
_LOCAL = "The local stack"
_OTHER = "Other"

REGISTRY = {
    entry.name: entry
    for entry in (
        Entry("init", "init", _BLUEPRINTS, "Propose a datasource for the address of an API or file."),
        Entry("validate", "blueprints", _BLUEPRINTS, "Check a blueprint's folder without the API."),
        Entry("apply", "blueprints", _BLUEPRINTS, "Create or change what a blueprint's folder describes."),
        Entry("export", "blueprints", _BLUEPRINTS, "Write projects as a blueprint's folder."),
        Entry("get", "resources", _BLUEPRINTS, "Show any document or list of the API."),
        Entry("delete", "resources", _BLUEPRINTS, "Delete a datasource, project, model, report or endpoint."),
        Entry("preview", "preview", _BLUEPRINTS, "Show the first records of a datasource, saved or not."),
        Entry("run", "runs", _RUNS, "Start a run of a project or datasource, and wait for its end."),
        Entry(
            "run-algorithm",
            "algorithms",
            _RUNS,
            "Run an algorithm in a project, and wait for its end.",
            "run_algorithm",
        ),
        Entry("watch", "runs", _RUNS, "Follow a run until it ends."),
        Entry("cancel", "runs", _RUNS, "Cancel a run."),
        Entry("redrive", "runs", _RUNS, "Continue a failed, partial or cancelled run."),
        Entry("replay", "runs", _RUNS, "Make a version again from its raw pages, without calling the upstream."),
        Entry("erase", "runs", _RUNS, "Erase a record from everything that is stored."),
        Entry("drop", "drop", _RUNS, "Send a file to a datasource, and wait for its run."),
        Entry("send-readings", "drop", _RUNS, "Send files of sensor readings.", "send_readings"),
        Entry("data", "data", _DATA, "Show the rows of a project, datasource, model or endpoint."),
        Entry("query", "data", _DATA, "Run one SELECT over the tables of a project."),
        Entry("explain", "data", _DATA, "Show where each value of a merged record comes from."),
        Entry("diff", "data", _DATA, "Show the records that differ between two versions of a project."),
        Entry("promote", "data", _DATA, "Publish a version of a project, for example an earlier one."),
        Entry("share", "sharing", _ACCESS, "Share a project, datasource or input with somebody."),
        Entry("unshare", "sharing", _ACCESS, "End that something is shared with somebody."),
        Entry("keys", "access", _ACCESS, "List, create, rotate and revoke API keys."),
        Entry("secrets", "access", _ACCESS, "List, set and delete secrets."),
        Entry("first-key", "admin", _ACCESS, "Create the first admin key of a stack on AWS.", "first_key"),
        Entry("up", "local", _LOCAL, "Start the local stack."),
        Entry("down", "local", _LOCAL, "Stop the local stack; its state is kept."),
        Entry("clean", "local", _LOCAL, "Stop the local stack and delete its state."),
        Entry("demo", "local", _LOCAL, "Start the local stack, apply a blueprint, run it and show the result."),
        Entry("logs", "local", _LOCAL, "Show the latest logs of the functions, oldest first."),
        Entry("invoke", "local", _LOCAL, "Call a function with an event in a Lambda container."),
        Entry("migrate", "admin", _OTHER, "Upgrade stored records to this release's format, or downgrade them."),
        Entry("completion", "completion", _OTHER, "Print the script that completes commands and slugs in a shell."),
    )
}
