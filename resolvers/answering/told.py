"""What may be told of an operation to whoever runs the service: no name that a caller chose, and no value."""

from collections.abc import Mapping
from dataclasses import dataclass

TOLD = "selfsame.told"  # where in the scope of a request it stands once that is answered


@dataclass(frozen=True, slots=True)
class Told:
    """One operation. kind: `none` if it could not be read; digest: of the document; code: `ok`, or an error's."""

    kind: str = "none"
    digest: str = ""
    cost: int = 0
    code: str = "ok"


def told_in(scope: Mapping[str, object]) -> tuple[Told, ...]:
    """The operations of a request that was answered; none where it was no question."""
    told = scope.get(TOLD, ())
    return told if isinstance(told, tuple) else ()
