"""The stack that the rings `console` and `sam` have together; a plugin of pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.stack import Deployed


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    # Here, since most tests need none of what this imports.
    from support.stack import deployed_stack

    with deployed_stack(tmp_path_factory.mktemp("local")) as running:
        yield running
