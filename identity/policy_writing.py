"""A policy written out in full, as a TOML text that needs no preset."""

import json
import re
from collections.abc import Mapping

from identity.policy import KINDS, KindRules, Namespace, Policy
from identity.toml_lines import Path

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")


def policy_text(policy: Policy) -> str:
    """A policy as a TOML text of its own with every setting named; reading it again gives an equal policy."""
    kinds = {word: _kind_text(policy.kind(word)) for word in KINDS}
    alias = policy.kind("alias").overrides_from
    kinds["alias"]["overrides_from"] = "never" if alias is None else alias.word
    external = policy.external
    tables: dict[str, object] = {
        "version": policy.version,
        "source_rank": policy.source_rank,
        "session_idle_minutes": policy.session_idle_minutes,
        "namespaces": {name: _namespace_text(each) for name, each in policy.namespaces.items()},
        "external_ids": {
            "priority": external.priority,
            "max_partners": external.max_partners or 0,
            "generic_above": external.generic_above or 0,
            "active": external.active or 0,
        },
        "kinds": kinds,
        "limits": {
            "profile_identifiers": policy.profile_limit,
            "region_identifiers": policy.region_limit,
            "links_per_message": policy.links_per_message,
            "value_bytes": policy.max_value_bytes,
        },
        "devices": {
            "rule": policy.device_rule,
            "idle_minutes": policy.device_idle_minutes,
            "logout": sorted(policy.logout_names),
        },
        "accounts": {"roles": policy.account_roles},
        "erasure": {"replay_stays_out": policy.replay_stays_out},
        "blocked": {"values": sorted(policy.blocked_values), "patterns": policy.blocked_patterns},
        "traits": {
            name: {"spellings": each.spellings, "strategy": each.strategy} for name, each in policy.traits.items()
        },
    }
    return "\n".join(_toml(tables, ())) + "\n"


def _kind_text(rules: KindRules) -> dict[str, object]:
    return {"links": rules.links, "minimum_authority": rules.minimum_authority.word}


def _namespace_text(rules: Namespace) -> dict[str, object]:
    return {
        "role": rules.role,
        "priority": rules.priority,
        "unique": rules.unique,
        "max_partners": rules.max_partners or 0,
        "generic_above": rules.generic_above or 0,
        "active": rules.active or 0,
        "active_days": rules.active_days or 0,
        "over_active": rules.over_active,
        "shared": rules.shared,
        "normaliser": rules.normaliser,
        "blocked_values": sorted(rules.blocked_values),
        "blocked_patterns": rules.blocked_patterns,
    }


def _toml(table: Mapping[str, object], path: Path) -> list[str]:
    """The lines of a table: its values, then the tables inside it."""
    values = [f"{_key(key)} = {_value(each)}" for key, each in table.items() if not isinstance(each, dict)]
    head = ["", f"[{'.'.join(map(_key, path))}]"] if path and (values or not table) else []
    inner = [line for key, each in table.items() if isinstance(each, dict) for line in _toml(each, (*path, key))]
    return [*head, *values, *inner]


def _key(name: str) -> str:
    return name if BARE_KEY.match(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)
