"""Layers by reference, for an emulator whose functions run on this disk.

The emulator unpacks all layers of a function for each of its processes: 60 to 250 MB, a second or
more. So it is given layers that hold one line, which has Python look where the real ones are.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_LAYER = re.compile(r"^(\s+ContentUri: )(\w+)$", re.MULTILINE)


def referring(build: Path, layers: Path) -> Path:
    """A template like the built one, whose layers refer to copies of the real ones.

    Args:
        build: what `sam build` has made.
        layers: the folder for the copies; processes that run look there, so it must not change any more.

    Returns:
        The template's path.
    """
    names = [name for _, name in _LAYER.findall((build / "template.yaml").read_text())]
    for name in names:
        if not (layers / name).exists():
            making = layers / f"{name}.making"
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(build / name, making, copy_function=_link)
            making.rename(layers / name)
        # Python runs the lines of such a file that begin with `import`.
        line = f"import sys; sys.path.insert(0, {str(layers / name / 'python')!r})\n"
        site = build / "referring" / name / "python" / "lib" / "python3" / "site-packages"
        site.mkdir(parents=True, exist_ok=True)
        (site / "layer.pth").write_text(line)
    template = build / "referring.yaml"
    template.write_text(_LAYER.sub(r"\1referring/\2", (build / "template.yaml").read_text()))
    return template


def forget_others(layers: Path, kept: set[str]) -> None:
    """Remove the copies that no deployed stack refers to.

    Args:
        layers: the folder that holds those of all stacks.
        kept: the names of those that are in use.
    """
    for folder in layers.iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no links
        shutil.copy2(source, target)
