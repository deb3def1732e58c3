"""One build of the functions, the layers and the console for all rings, which start at the same time."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from sluice_cli.local.stack import LocalStack
from support.template import ROOT

_SHARED = ROOT / ".local" / "tests"


def share_build(local_folder: Path) -> None:
    """Put the build of this checkout into the folder of a stack, which then has nothing to build.

    The first caller builds, unless the sources are those of the last build; the others wait for it.

    Args:
        local_folder: the stack's folder for builds and state.
    """
    shared = LocalStack(ROOT, _SHARED, 0)
    shared.folder.mkdir(parents=True, exist_ok=True)
    with (_SHARED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shared.console.start()
        shared.build()
        # Without a console, the stack tries again and says why.
        shared.console.finish()
        shutil.copy2(_SHARED / "built", local_folder)
        for name in ("build", "console"):
            shutil.copytree(_SHARED / name, local_folder / name, symlinks=True, copy_function=_link)
    template = local_folder / "build" / "template.yaml"
    # It names the workflows, which are not copied, as seen from the folder of the build.
    workflows = os.path.relpath(ROOT / "workflows", _SHARED / "build")
    template.write_text(template.read_text().replace(f" {workflows}/", f" {ROOT}/workflows/"))


def _link(source: str, target: str) -> None:
    # The template and its like are written over by the next build; the files of functions and layers are replaced.
    if Path(source).parent.parent == _SHARED:
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
