"""Many messages of people who share devices, addresses and user ids; and their delivery, whatever happens."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import httpx
import orjson

from tests.walks.sending import Sent, identify, track
from tests.walks.service import Company

TOGETHER = 20


def crowd(many: int, seed: int = 1) -> list[Sent]:
    """So many messages of about a tenth as many people: most keep to themselves, some share a tablet or an address."""
    chance = Random(seed)
    return [_message(number, chance, max(many // 10, 3)) for number in range(many)]


def heavy(many: int) -> list[Sent]:
    """So many messages of as many people, each about as large as a message may be."""
    return [track(f"h{number}", id=f"heavy-{number}", properties={"text": "x" * 30_000}) for number in range(many)]


def _message(number: int, chance: Random, people: int) -> Sent:
    who = chance.randrange(people)
    user, device, email = f"u{who}", f"a{who}-{chance.randrange(2)}", f"e{who}@example.com"
    if chance.random() < 0.1:
        device = f"tablet{who % 3}"
    if chance.random() < 0.1:
        email = f"family{who % 5}@example.com"
    said = {"at": chance.randrange(100_000), "id": f"crowd-{number}"}
    match chance.randrange(4):
        case 0:
            return identify(user, device, traits={"name": f"Name {number}"}, **said)
        case 1:
            return identify(user, email=email, **said)
        case 2:
            return track(device, email=email, **said)
        case _:
            return track(device, **said)


@dataclass
class Delivery:
    """Batches on their way. acknowledged: the ids of the messages that were answered with 200."""

    waiting: deque[Sequence[Sent]]
    acknowledged: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, messages: Sequence[Sent], together: int = TOGETHER) -> "Delivery":
        return cls(deque(messages[start : start + together] for start in range(0, len(messages), together)))

    async def run(self, company: Company) -> None:
        """Send what waits, until all is acknowledged or the service cannot be reached; what is not, waits again."""
        while self.waiting:
            batch = self.waiting.popleft()
            try:
                answer = await company.post("batch", orjson.dumps({"batch": batch}))
            except httpx.TransportError:
                self.waiting.append(batch)
                return
            if answer.status_code != 200:
                assert answer.status_code == 503, answer.text
                self.waiting.append(batch)
                return
            self.acknowledged |= {str(each["messageId"]) for each in batch}
