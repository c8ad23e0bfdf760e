"""Whether a table that was read has the shape it should have: every unknown key, wrong value and missing key of it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeGuard, TypeVar, get_args, get_origin

import msgspec

from identity.toml_lines import Path

S = TypeVar("S", bound=msgspec.Struct)
ABSENT = object()
MISSING = "is missing"


@dataclass(frozen=True, slots=True)
class Found:
    """A problem and the path of the key it is about."""

    path: Path
    reason: str


def shaped(read: Mapping[str, object], wanted: type[S]) -> tuple[S | None, tuple[Found, ...]]:
    """The table as a struct without what is wrong in it, and all that is; no struct where a needed key is missing."""
    found: list[Found] = []
    kept = _table(read, wanted, (), found)
    try:
        return msgspec.convert(kept, wanted), tuple(found)
    except msgspec.ValidationError:
        return None, tuple(found)


def _table(
    read: Mapping[str, object], wanted: type[msgspec.Struct], path: Path, found: list[Found]
) -> dict[str, object]:
    known = {each.encode_name: each for each in msgspec.structs.fields(wanted)}
    kept: dict[str, object] = {}
    for key, value in read.items():
        if key not in known:
            found.append(Found((*path, key), _unknown(key, known)))
        elif (good := _value(value, known[key].type, (*path, key), found)) is not ABSENT:
            kept[key] = good
    for name, each in known.items():
        if each.required and name not in read:
            found.append(Found((*path, name), MISSING))
    return kept


def _value(value: object, wanted: object, path: Path, found: list[Found]) -> object:
    """The value as it was, its tables without what is wrong in them, or ABSENT."""
    if get_origin(wanted) is dict or _is_struct(wanted):
        if not isinstance(value, dict):
            found.append(Found(path, f"must be a table, [{'.'.join(path)}]"))
            return ABSENT
        if _is_struct(wanted):
            return _table(value, wanted, path, found)
        tables = {key: _value(each, get_args(wanted)[1], (*path, key), found) for key, each in value.items()}
        return {key: each for key, each in tables.items() if each is not ABSENT}
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        found.append(Found(path, _wrong(value, wanted, error)))
        return ABSENT
    return value


def _is_struct(wanted: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _unknown(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known)
    meant = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    return f"there is no such setting; {meant}"


def _wrong(value: object, wanted: object, error: msgspec.ValidationError) -> str:
    words = _words(wanted)
    if words:
        return f"{value!r} is none of {', '.join(map(str, words))}"
    reason = str(error).partition(" - at ")[0].replace("`", "")
    return f"{value!r} cannot be used: {reason[:1].lower()}{reason[1:]}"


def _words(wanted: object) -> tuple[object, ...]:
    """All values that there are of a type; none where they are not named one by one."""
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return tuple(each.value for each in wanted)
    return get_args(wanted) if get_origin(wanted) is Literal else ()
