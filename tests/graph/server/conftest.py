"""What every Neo4j has here that a test starts for itself."""

from collections.abc import Iterator

import pytest

from tests.serving import SHORT_LIVED


@pytest.fixture(scope="module", autouse=True)
def short_lived() -> Iterator[None]:
    """Each of them ends after some seconds, and most of its work would be Java's second compiler."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SHORT_LIVED.items():
            patch.setenv(name, value)
        yield
