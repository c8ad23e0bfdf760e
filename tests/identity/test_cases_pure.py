"""Cases of the catalogue of stitching that need nothing but the pure rules."""

from identity.evidence import ActKind
from identity.identifiers import IdentifierKey
from identity.messages import Authority, MessageKind
from identity.policy import Namespace, Role
from tests.building import act, default_policy, identify, message
from tests.identity.memory import History, history_of, people_of

YEAR = 365 * 24 * 60.0
CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)


def shared_by(history: History, key: str) -> dict[str, tuple[float, float]]:
    """Who shares a generic identifier, each with the first and the last evidence in minutes, by the other end."""
    assert key in history.generic
    links = (link for link in history.links.values() if key in (link.a, link.b))
    return {link.other(IdentifierKey(key)): (link.first_seen, link.last_seen) for link in links}


def test_t14_a_user_id_is_migrated_with_all_that_was_its() -> None:
    made = history_of(
        identify("old", "a1", email="old@x.com", at=1),
        identify("new", "a2", email="new@x.com", at=2),
        identify("old", email="both@x.com", at=3),
        identify("new", email="both@x.com", at=4),
        act(ActKind.OVERRIDE, "user_id:old", "user_id:new", at=5),
    )
    everything = {"user_id:old", "user_id:new", "anonymous_id:a1", "anonymous_id:a2"}
    everything |= {"email:old@x.com", "email:new@x.com", "email:both@x.com"}
    assert people_of(made) == [everything]
    assert not made.generic
    assert made.profile_of[IdentifierKey("user_id:old")] == made.profile_of[IdentifierKey("user_id:new")]


def test_t28_a_shared_address_is_its_owners_again_once_the_other_use_is_deleted() -> None:
    made = history_of(identify("u1", email="fam@x.com"), identify("u2", email="fam@x.com"))
    assert set(made.generic) == {"email:fam@x.com"}
    used = next(id_ for id_ in made.links if {id_.a, id_.b} == {"email:fam@x.com", "user_id:u2"})
    made.forget(used)
    assert people_of(made) == [{"email:fam@x.com", "user_id:u1"}, {"user_id:u2"}]
    assert not made.generic


def test_t29_two_contacts_on_one_address_stay_two_people() -> None:
    policy = default_policy().with_namespaces([CRM])
    rows = [("c1", "Ann"), ("c2", "Bob")]
    made = history_of(
        *(
            message(
                MessageKind.IDENTIFY,
                [("crm", contact), ("email", "fam@x.com")],
                at=float(number),
                traits={"name": name},
                authority=Authority.IMPORTED,
                source="crm",
            )
            for number, (contact, name) in enumerate(rows)
        ),
        policy=policy,
    )
    assert people_of(made) == [{"crm:c1"}, {"crm:c2"}]
    assert set(made.generic) == {"email:fam@x.com"}


def test_t30_a_phone_number_that_moved_on_is_shared_by_two_people_in_their_times() -> None:
    phone = "+491712345678"
    made = history_of(
        *(
            message(MessageKind.IDENTIFY, [("user_id", user), ("phone", phone)], at=at)
            for user, at in (("u1", 0.0), ("u1", 10.0), ("u2", YEAR / 2), ("u2", YEAR / 2 + 20))
        )
    )
    assert people_of(made) == [{"user_id:u1"}, {"user_id:u2"}]
    uses = shared_by(made, f"phone:{phone}")
    assert {user: last - first for user, (first, last) in uses.items()} == {
        "user_id:u1": 10 * 60_000_000,
        "user_id:u2": 20 * 60_000_000,
    }
    assert max(uses, key=lambda user: uses[user][1]) == "user_id:u2"


def test_t30_messages_with_the_number_alone_are_on_its_own_profile() -> None:
    said = [[("user_id", "u1"), ("phone", "+491712345678")], [("user_id", "u2"), ("phone", "+491712345678")]]
    made = history_of(
        *(message(MessageKind.IDENTIFY, each) for each in said),
        message(MessageKind.TRACK, [("phone", "+491712345678")]),
    )
    own = made.clusters[made.profile_of[IdentifierKey("phone:+491712345678")]]
    assert (own.members, own.shared, own.known) == (("phone:+491712345678",), True, False)
