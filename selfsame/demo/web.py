"""The web shop and the app as the service hears them: late, repeated, in the order of arrival."""

from datetime import datetime, timedelta
from random import Random

from selfsame.demo.company import Company
from selfsame.demo.scenes import story_visits
from selfsame.demo.visits import Call, random_visits

REPEATED_SHARE = 0.008
WIRE_NAMES = {
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "group_id": "groupId",
    "previous_id": "previousId",
    "message_id": "messageId",
}
FIELDS = {
    "identify": ("anonymousId", "userId", "traits"),
    "track": ("anonymousId", "userId", "event", "properties"),
    "page": ("anonymousId", "userId", "category", "name", "properties"),
    "screen": ("anonymousId", "userId", "category", "name", "properties"),
    "group": ("anonymousId", "userId", "groupId", "traits"),
    "alias": ("previousId", "userId", "anonymousId"),
}


def web_calls(company: Company) -> list[Call]:
    """Every call in the order in which it is sent: some long after they happened, some sent twice."""
    random = Random(f"{company.seed}/sending")
    sent: list[tuple[datetime, Call]] = []
    for visit in (*story_visits(company), *random_visits(company)):
        for call in visit.calls:
            sent.append((call.at + visit.delay, call))
            if random.random() < REPEATED_SHARE:
                sent.append((call.at + visit.delay + timedelta(seconds=random.randint(2, 600)), call))
    return [call for _, call in sorted(sent, key=lambda each: each[0])]


def segment_message(call: Call) -> dict[str, object]:
    """The message that the Segment client sends for a call, without `context.library`, where it names itself."""
    given = {WIRE_NAMES.get(name, name): value for name, value in call.arguments.items()}
    empty: dict[str, object] = {"traits": {}, "properties": {}}
    return {
        "type": call.kind,
        "messageId": given["messageId"],
        "timestamp": call.at.isoformat(timespec="milliseconds"),
        **{name: given.get(name, empty.get(name)) for name in FIELDS[call.kind]},
        "context": given["context"],
        "integrations": {},
    }
