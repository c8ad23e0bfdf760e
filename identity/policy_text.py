"""A TOML text read as a policy, with every problem and its line; policy_writing.py writes one out again.

A text may extend a preset: its tables are laid over the preset's, its values and lists replace them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta, Struct

from identity.errors import PolicyInvalidError, Problem
from identity.messages import Authority
from identity.policy import (
    ROLES,
    DeviceRule,
    KindRules,
    Namespace,
    Normaliser,
    OverActive,
    Policy,
    Role,
    Shared,
    Strategy,
    Trait,
)
from identity.policy_checks import contradictions
from identity.policy_shape import MISSING, Found, shaped
from identity.policy_writing import policy_text
from identity.toml_lines import Path, line_of, lines_of

LONGEST = 1_000_000
MOST = 1_000_000_000
Limit = Annotated[int, Meta(ge=0, le=MOST)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
AuthorityWord = Literal["claimed", "verified", "imported"]
AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


class _NamespaceText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: Role
    priority: Annotated[int, Meta(ge=0, le=99)]
    unique: bool = False
    max_partners: Limit = 50
    generic_above: Limit = 1
    active: Limit = 0
    active_days: Days = 0
    over_active: OverActive = OverActive.INACTIVE
    shared: Shared = Shared.OWN
    normaliser: Normaliser = Normaliser.TEXT
    blocked_values: tuple[str, ...] = ()
    blocked_patterns: tuple[str, ...] = ()


class _ExternalText(Struct, frozen=True, forbid_unknown_fields=True):
    priority: Annotated[int, Meta(ge=0, le=99)] = 1
    max_partners: Limit = 0
    generic_above: Limit = 1
    active: Limit = 0


class _KindText(Struct, frozen=True, forbid_unknown_fields=True):
    links: bool = True
    minimum_authority: AuthorityWord = "claimed"


class _AliasText(_KindText, frozen=True, forbid_unknown_fields=True):
    overrides_from: Literal["never", "claimed", "verified", "imported"] = "never"


class _KindsText(Struct, frozen=True, forbid_unknown_fields=True):
    import_key: _KindText = _KindText()
    alias: _AliasText = _AliasText()
    cooccur: _KindText = _KindText()


class _TraitText(Struct, frozen=True, forbid_unknown_fields=True):
    spellings: tuple[str, ...] = ()
    strategy: Strategy = Strategy.LAST


class _BlockedText(Struct, frozen=True, forbid_unknown_fields=True):
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class _LimitsText(Struct, frozen=True, forbid_unknown_fields=True):
    profile_identifiers: Annotated[int, Meta(ge=1, le=MOST)] = 1_000
    region_identifiers: Annotated[int, Meta(ge=1, le=MOST)] = 5_000
    links_per_message: Annotated[int, Meta(ge=2, le=1_000)] = 10
    value_bytes: Annotated[int, Meta(ge=16, le=4_096)] = 512


class _DevicesText(Struct, frozen=True, forbid_unknown_fields=True):
    rule: DeviceRule = DeviceRule.BY_TIME
    idle_minutes: Annotated[int, Meta(ge=1, le=MOST)] = 30
    logout: tuple[str, ...] = ("Signed Out", "Logged Out")


class _AccountsText(Struct, frozen=True, forbid_unknown_fields=True):
    roles: tuple[str, ...] = ROLES


class _ErasureText(Struct, frozen=True, forbid_unknown_fields=True):
    replay_stays_out: bool = True


class _PolicyText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[str, Meta(min_length=1)]
    source_rank: tuple[str, ...] = ()
    session_idle_minutes: Annotated[int, Meta(ge=1, le=MOST)] = 30
    namespaces: dict[str, _NamespaceText]
    external_ids: _ExternalText = _ExternalText()
    kinds: _KindsText = _KindsText()
    limits: _LimitsText = _LimitsText()
    devices: _DevicesText = _DevicesText()
    accounts: _AccountsText = _AccountsText()
    erasure: _ErasureText = _ErasureText()
    blocked: _BlockedText = _BlockedText()
    traits: dict[str, _TraitText] = {}


def policy_from_toml(text: str, presets: Mapping[str, str] | None = None) -> Policy:
    """The policy a TOML text describes; 0 stands for «no limit» where a limit is meant.

    presets: the texts that it may extend, by name; the policy's own text is then whole without them.
    Raises PolicyInvalidError with every problem and its line.
    """
    try:
        return _policy_in(text, presets or {})
    except RecursionError as error:
        raise PolicyInvalidError([Problem(None, "", "tables and lists are nested too deeply")]) from error


def _policy_in(text: str, presets: Mapping[str, str]) -> Policy:
    own = _read(text)
    merged = _extended(own, presets, text)
    read, found = shaped(merged, _PolicyText)
    policy = None if read is None else _policy(read, text)
    if policy is not None:
        found = (*found, *contradictions(policy))
    if found or policy is None:
        raise PolicyInvalidError(_placed(found, lines_of(text)))
    return policy if "extends" not in own else replace(policy, text=_whole(policy, text))


def _whole(policy: Policy, text: str) -> str:
    """A text that needs no preset, and so means the same under every version of Selfsame, below the one written."""
    written = "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
    return f"# Written as:\n#\n{written}\n#\n# which says in full:\n\n{policy_text(policy)}"


def _read(text: str) -> dict[str, object]:
    if len(text) > LONGEST:
        raise PolicyInvalidError([Problem(None, "", f"a policy has {LONGEST:,} characters at most, not {len(text):,}")])
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = AT_LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        reason = AT_LINE.sub("", str(error)).replace("(at end of document)", "").strip()
        raise PolicyInvalidError([Problem(line, "", f"this is no TOML: {reason}")]) from error


def _extended(own: Mapping[str, object], presets: Mapping[str, str], text: str) -> dict[str, object]:
    rest = {key: value for key, value in own.items() if key != "extends"}
    if "extends" not in own:
        return rest
    name = own["extends"]
    if not isinstance(name, str) or name not in presets:
        reason = (
            f"there is no preset {name!r} to extend; the presets are {', '.join(sorted(presets)) or 'not known here'}"
        )
        raise PolicyInvalidError([Problem(lines_of(text).get(("extends",)), "extends", reason)])
    return _laid_over(_extended(_read(presets[name]), presets, presets[name]), rest)


def _laid_over(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    merged = dict(under)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _laid_over(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _placed(found: tuple[Found, ...], lines: Mapping[Path, int]) -> list[Problem]:
    """Problems with their lines, in the order of lines; what is only in the preset stands where it is extended."""
    extends = lines.get(("extends",))
    hint = "" if extends else '; begin with extends = "default" to keep all that the default says'
    placed = [
        Problem(
            line_of(lines, each.path) or extends,
            ".".join(each.path),
            each.reason + (hint if each.reason == MISSING else ""),
        )
        for each in found
    ]
    return sorted(dict.fromkeys(placed), key=lambda each: (each.line or 0, each.key))


def _policy(read: _PolicyText, text: str) -> Policy:
    return Policy(
        version=read.version,
        namespaces={name: _namespace(name, each) for name, each in read.namespaces.items()},
        traits={
            name: Trait(name=name, spellings=each.spellings, strategy=each.strategy)
            for name, each in read.traits.items()
        },
        blocked_values=frozenset(value.casefold() for value in read.blocked.values),
        blocked_patterns=read.blocked.patterns,
        source_rank=read.source_rank,
        profile_limit=read.limits.profile_identifiers,
        region_limit=read.limits.region_identifiers,
        links_per_message=read.limits.links_per_message,
        max_value_bytes=read.limits.value_bytes,
        session_idle_minutes=read.session_idle_minutes,
        device_rule=read.devices.rule,
        device_idle_minutes=read.devices.idle_minutes,
        logout_names=frozenset(read.devices.logout),
        external=Namespace(
            name="",
            role=Role.CONTACT,
            priority=read.external_ids.priority,
            max_partners=read.external_ids.max_partners or None,
            generic_above=read.external_ids.generic_above or None,
            active=read.external_ids.active or None,
        ),
        kinds={
            "import_key": _kind(read.kinds.import_key),
            "alias": replace(_kind(read.kinds.alias), overrides_from=_authority(read.kinds.alias.overrides_from)),
            "cooccur": _kind(read.kinds.cooccur),
        },
        account_roles=read.accounts.roles,
        replay_stays_out=read.erasure.replay_stays_out,
        text=text,
    )


def _namespace(name: str, read: _NamespaceText) -> Namespace:
    return Namespace(
        name=name,
        role=read.role,
        priority=read.priority,
        unique=read.unique,
        max_partners=read.max_partners or None,
        generic_above=read.generic_above or None,
        active=read.active or None,
        active_days=read.active_days or None,
        over_active=read.over_active,
        shared=read.shared,
        normaliser=read.normaliser,
        blocked_values=frozenset(value.casefold() for value in read.blocked_values),
        blocked_patterns=read.blocked_patterns,
    )


def _kind(read: _KindText) -> KindRules:
    return KindRules(links=read.links, minimum_authority=Authority[read.minimum_authority.upper()])


def _authority(word: str) -> Authority | None:
    return None if word == "never" else Authority[word.upper()]
