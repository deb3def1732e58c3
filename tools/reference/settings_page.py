"""The page of all settings."""

from __future__ import annotations

from typing import Any

from reference.markdown import NOTICE, code, table
from sluice.settings import Settings

FILE_SIZES = """
## File sizes

| function | time | memory | disk |
| --- | --- | --- | --- |
| `fetch` | 900 s | 2,048 MB | 4 GB |
| `extract` | 900 s | 3,008 MB | 8 GB |

`fetch` streams a dropped file and stores it gzipped. Its disk holds a file of `MAX_DROP_BYTES` (1 GB) twice: plain and
gzipped. `extract` decompresses the file to its disk and spills rows beyond `EXTRACT_MEMORY` there. Its disk holds the
file three times: plain, as DuckDB's rows, and as Parquet.

`make proof` converts CSV and JSON Lines of 1 GB to Parquet with less than 1,000 MB resident
(`tests/unit/test_large_files.py`). `make bench NAME=extract` prints the time by size.
"""


def settings_page() -> dict[str, str]:
    """`reference/settings.md`, with every setting."""
    rows = []
    for name, field in Settings.model_fields.items():
        default: Any = field.default if field.default != "" else "–"
        rows.append((code(name.upper()), str(default), field.description or ""))
    lines = [
        NOTICE,
        "# Settings",
        "",
        "Each setting is an environment variable of the functions. The template sets those without a default.",
        "",
        *table(("variable", "default", "meaning"), rows),
    ]
    return {"reference/settings.md": "\n".join(lines) + "\n" + FILE_SIZES}
