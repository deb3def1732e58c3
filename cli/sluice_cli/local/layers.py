"""Lambda layers that refer to folders on this disk, for an emulator whose functions run here.

The emulator unpacks all layers of a function for each of its processes: 60 to 250 MB, which takes a
second or more. So the deployed layers have one line, which adds the real folder to Python's path.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

_LAYER = re.compile(r"^(\s+ContentUri: )(\w+)$", re.MULTILINE)


def reference_layers(build: Path, layers: Path) -> Path:
    """Copy the built layers, and write a template whose layers refer to the copies.

    Args:
        build: the output folder of `sam build`.
        layers: the folder for the copies. Running processes import from it, so a copy never changes.

    Returns:
        The path of the template.
    """
    names = [name for _, name in _LAYER.findall((build / "template.yaml").read_text())]
    for name in names:
        if not (layers / name).exists():
            # Renamed when it is complete: a copy that was interrupted is not taken for a layer.
            partial = layers / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(build / name, partial, copy_function=_link)
            partial.rename(layers / name)
        # Python executes the lines of a .pth file that begin with `import`.
        line = f"import sys; sys.path.insert(0, {str(layers / name / 'python')!r})\n"
        site = build / "referenced" / name / "python" / "lib" / "python3" / "site-packages"
        site.mkdir(parents=True, exist_ok=True)
        (site / "layer.pth").write_text(line)
    template = build / "referenced.yaml"
    template.write_text(_LAYER.sub(r"\1referenced/\2", (build / "template.yaml").read_text()))
    return template


def remove_unused_layers(layers: Path, used: set[str]) -> None:
    """Remove the copies of layers that no deployed stack refers to.

    Args:
        layers: the folder with the copies of all stacks.
        used: the names of the folders in it that are in use.
    """
    for folder in layers.iterdir():
        if folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no hard links
        shutil.copy2(source, target)
