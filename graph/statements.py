"""What a statement is called: the constant that holds its text, by the file it stands in."""

import sys
from collections.abc import Iterator
from functools import lru_cache

MADE = "made"  # of checked parts, when it was asked: segments, and the like


@lru_cache(maxsize=2_000)
def name_of(statement: str) -> str:
    """As in `profiles.PROFILES_BY_ID`; `made` for one that was put together when it was asked."""
    return _names().get(statement, MADE)


def statement_names() -> frozenset[str]:
    """Every name that there can be: a closed set."""
    return frozenset(_names().values()) | {MADE}


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {text: name for name, text in _constants()}


def _constants() -> Iterator[tuple[str, str]]:
    for path, module in sorted(sys.modules.items()):
        if path.startswith("graph."):
            for name, value in vars(module).items():
                if name.isupper() and isinstance(value, str) and "\n" in value:
                    yield f"{path.removeprefix('graph.')}.{name}", value
