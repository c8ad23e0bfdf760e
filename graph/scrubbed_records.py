"""Stored records without the values of the erased: for each label what of a record is another one then."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import orjson

from graph.connection import Row
from graph.pseudonyms import names_told_by_account, pseudonyms
from identity.erasure import ERASED, Hashing, Scrub
from identity.errors import PolicyInvalidError
from identity.messages import Json
from identity.policy_text import policy_from_toml
from identity.survivorship import canonical
from insight.suggestions import mail_domain

PAST = "past"  # a version of the policy that another one has replaced


def scrubbed_interaction(facts: Row, scrub: Scrub, hashing: Hashing) -> dict[str, object]:
    """The properties of an interaction that are others without the erased values; none when it holds none.

    One that carried an erased identifier loses all their values, another one those that cannot be mistaken.
    """
    naming = scrub.telling()
    scrub = replace(scrub if is_carrier(facts, scrub) else naming, region=facts.get("region"))
    after: dict[str, object] = {
        "identifiers": _without_sightings(facts.get("identifiers"), scrub),
        "persons": [each for each in facts.get("persons") or [] if each not in scrub.keys] or None,
        "warnings": [scrub.text(each) for each in facts.get("warnings") or []] or None,
        "name": scrub.text(facts["name"]) if facts.get("name") else None,
    }
    after["channel"] = scrub.text(facts["channel"]) if facts.get("channel") else None
    for name in ("traits", "properties", "context"):
        after[name] = json_text(facts.get(name), scrub.json)
    after["account"] = json_text(facts.get("account"), lambda value: _of_account_said(value, scrub, naming, hashing))
    previous = facts.get("previous")
    after["previous"] = None if previous and _means(previous, scrub) else previous
    changed = {name: value for name, value in after.items() if value != facts.get(name)}
    if (id_ := hashing.renamed(facts["id"], scrub)) != facts["id"]:
        changed["id"] = id_
    return changed


def is_carrier(facts: Row, scrub: Scrub) -> bool:
    """Whether an interaction carried one of the erased identifiers."""
    here = replace(scrub, region=facts.get("region"))
    if not scrub.keys.isdisjoint(facts.get("persons") or ()) or _means(facts.get("previous") or "", here):
        return True
    return any(here.sighting(row) for row in orjson.loads(facts.get("identifiers") or "[]"))


def _means(previous: str, scrub: Scrub) -> bool:
    return scrub.names("user_id", previous) or scrub.names("anonymous_id", previous)


def _without_sightings(text: str | None, scrub: Scrub) -> str | None:
    if text is None:
        return None
    rows = orjson.loads(text)
    kept = [row for row in rows if not scrub.sighting(row)]
    return text if len(kept) == len(rows) else orjson.dumps(kept).decode()


def json_text(text: str | None, change: Callable[[Json], Json]) -> str | None:
    """JSON text with its value changed; the same text where that changes nothing."""
    if text is None:
        return None
    value: Json = orjson.loads(text)
    after = change(value)
    return text if after == value else orjson.dumps(after).decode()


def redacted(value: Json, scrub: Scrub) -> Json:
    """A value whose shape stays: texts lose what they mention."""
    match value:
        case dict():
            return {scrub.text(name): redacted(each, scrub) for name, each in value.items()}
        case list():
            return [redacted(each, scrub) for each in value]
        case str():
            return scrub.text(value)
        case _:
            return ERASED if scrub.is_value(value) else value


def _of_account_said(value: Json, scrub: Scrub, naming: Scrub, hashing: Hashing) -> Json:
    """What an interaction says of an account, which has the same name everywhere. naming: what no key may tell."""
    after = redacted(value, scrub)
    if not isinstance(value, dict) or not isinstance(after, dict):
        return after
    names = {name: value.get(name) for name in ("key", "parent")}
    role = value.get("role")
    after |= names | {"role": naming.text(role) if isinstance(role, str) else role}
    return after | pseudonyms(names_told_by_account(value, naming), (), hashing)


def _of_account(facts: Row, scrub: Scrub) -> dict[str, object]:
    stated = msgspec.json.decode(facts.get("stated") or "{}")
    traits = msgspec.json.decode(facts.get("traits") or "{}")
    after = {
        "stated": msgspec.json.encode(redacted(stated, scrub)).decode(),
        "traits": canonical(redacted(traits, scrub)),
        "name": scrub.text(facts["name"]) if facts.get("name") else None,
        "domain": scrub.text(facts["domain"]) if facts.get("domain") else None,
    }
    if after["domain"] != facts.get("domain"):
        after["mail_domain"] = mail_domain(scrub.text(facts["domain"]))
    unlike = {"stated": redacted(stated, scrub) != stated, "traits": redacted(traits, scrub) != traits}
    return {name: value for name, value in after.items() if unlike.get(name, value != facts.get(name))}


def _of_thing(facts: Row, scrub: Scrub) -> dict[str, object]:
    value: Json = msgspec.json.decode(facts.get("facts") or "{}")
    after = scrub.json(value)
    return {} if after == value else {"facts": canonical(after)}


def _of_note(facts: Row, scrub: Scrub) -> dict[str, object]:
    note = facts.get("note")
    return {"note": scrub.text(note)} if note and scrub.text(note) != note else {}


def _of_run(facts: Row, scrub: Scrub) -> dict[str, object]:
    """A file without a header has its first record for one."""
    said = {name: facts[name] for name in ("file", "mapping") if facts.get(name)}
    columns = facts.get("columns") or []
    shown = [scrub.text(each) for each in columns]
    changed: dict[str, object] = {"columns": shown} if shown != columns else {}
    return changed | {name: after for name, text in said.items() if (after := scrub.text(text)) != text}


def _of_former(facts: Row, scrub: Scrub) -> dict[str, object]:
    """Of a value that is no identifier's any more the bare id stays."""
    namespace, _, value = (facts.get("key") or ":").partition(":")
    return {"key": None, "message": None} if scrub.is_value(value) or scrub.names(namespace, value) else {}


def scrubbed_version(facts: Row, scrub: Scrub) -> dict[str, object]:
    """What a version of the policy is that tells no value; its text alone, where it is past and still reads then."""
    note, text = scrub.text(facts["note"]), scrub.text(facts["text"])
    after: dict[str, object] = {"note": note} if note != facts["note"] else {}
    if facts["state"] != PAST or text == facts["text"]:
        return after
    try:
        return {**after, "text": text, "hash": policy_from_toml(text).hash}
    except PolicyInvalidError:
        return after


def renamed_messages(facts: Row, scrub: Scrub, hashing: Hashing) -> dict[str, object]:
    """The ids of messages that a record names, where they tell a value; a run has their number alone."""
    after: dict[str, object] = {}
    if message := facts.get("message"):
        after["message"] = hashing.renamed(message, scrub)
    if isinstance(messages := facts.get("messages"), list):
        after["messages"] = [hashing.renamed(each, scrub) for each in messages]
    return {name: value for name, value in after.items() if value != facts[name]}


def _of_letter(facts: Row, scrub: Scrub) -> dict[str, object]:
    """What could not be read cannot be taken apart: the text of a letter in which a value stands goes as a whole."""
    texts = {name: facts[name] for name in ("sentence", "place", "message_id") if facts.get(name)}
    after: dict[str, object] = {name: scrub.text(text) for name, text in texts.items() if scrub.text(text) != text}
    return {**after, "raw": ERASED} if facts.get("raw") and _holds(facts["raw"], scrub) else after


def _holds(raw: str, scrub: Scrub) -> bool:
    folded = raw.casefold()
    return any(form in folded for each in scrub.forms for form in (each, json.dumps(each)[1:-1].casefold()))


SCRUBBED: Mapping[str, Callable[[Row, Scrub], dict[str, object]]] = {
    "Account": _of_account,
    "Order": _of_thing,
    "Deal": _of_thing,
    "Ticket": _of_thing,
    "Campaign": _of_thing,
    "Product": _of_thing,
    "Act": _of_note,
    "AccountAct": _of_note,
    "Change": _of_note,
    "FeedEntry": _of_note,
    "DeadLetter": _of_letter,
    "Run": _of_run,
    "FormerId": _of_former,
}
