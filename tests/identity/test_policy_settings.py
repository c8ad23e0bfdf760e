"""What the settings that steer hearing and uniting do; the cases of the catalogue that others decide otherwise."""

from dataclasses import replace

import pytest

from identity.evidence import ActKind, hear
from identity.messages import Authority, Message, MessageKind, Warned
from identity.policy import KindRules, Namespace, Policy
from identity.policy_text import policy_from_toml
from tests.building import act, alias, identify, message, presets, track
from tests.identity.memory import history_of, people_of, refusals_of

SIX = [identify("u1", email=f"e{number}@x.com", at=number) for number in range(1, 7)]


def policy(more: str) -> Policy:
    """The default policy with some settings changed."""
    return policy_from_toml(f'extends = "default"\nversion = "other"\n{more}', presets())


def people(*steps: Message, under: str = "") -> list[set[str]]:
    return people_of(history_of(*steps, policy=policy(under)))


def test_t11_an_alias_can_be_ignored_and_the_sender_is_told() -> None:
    ignored = policy("[kinds.alias]\nlinks = false\n")
    said = alias("a1", "u1")
    assert people_of(history_of(said, track("a1"), policy=ignored)) == [{"anonymous_id:a1"}, {"user_id:u1"}]
    sentence = "the policy reads no alias as evidence; it links nothing"
    assert hear(said, ignored).warnings == (Warned("alias_ignored", "previousId", sentence),)


def test_two_keys_of_a_record_or_of_a_message_can_be_no_evidence() -> None:
    record = message(MessageKind.IDENTIFY, [("crm", "c1"), ("email", "e@x.com")], record=True)
    assert len(people(record, under="[kinds.import_key]\nlinks = false\n")) == 2
    assert len(people(record, under="[kinds.cooccur]\nlinks = false\n")) == 1
    assert len(people(identify("u1", "a1"), under="[kinds.cooccur]\nlinks = false\n")) == 2


USERS = [identify("u1", at=1), identify("u2", at=2), alias("u1", "u2", at=3)]
OVERRIDING = '[kinds.alias]\noverrides_from = "claimed"\n'


def test_t12_an_alias_between_two_users_can_replace_one_by_the_other() -> None:
    assert people(*USERS) == [{"user_id:u1"}, {"user_id:u2"}]
    assert people(*USERS, under=OVERRIDING) == [{"user_id:u1", "user_id:u2"}]
    assert people(*reversed(USERS), under=OVERRIDING) == [{"user_id:u1", "user_id:u2"}]


def test_what_both_names_of_an_overridden_user_share_is_not_generic() -> None:
    shared = [identify("u1", email="e@x.com"), identify("u2", email="e@x.com"), USERS[2]]
    made = history_of(*shared, policy=policy(OVERRIDING))
    assert people_of(made) == [{"user_id:u1", "user_id:u2", "email:e@x.com"}]
    assert not made.generic


def test_an_override_by_alias_needs_the_authority_the_policy_asks() -> None:
    verified = '[kinds.alias]\noverrides_from = "verified"\n'
    assert len(people(*USERS, under=verified)) == 2
    assert len(people(*USERS[:2], replace(USERS[2], authority=Authority.VERIFIED), under=verified)) == 1


def test_what_somebody_decided_stands_before_what_an_alias_says() -> None:
    different = act(ActKind.DIFFERENT, "user_id:u1", "user_id:u2", at=0)
    made = history_of(*USERS, different, policy=policy(OVERRIDING))
    assert people_of(made) == [{"user_id:u1"}, {"user_id:u2"}]
    taken_back = replace(act(ActKind.UNDO, "user_id:u1", "user_id:u2", at=9), undoes=different.id)
    made.decide(taken_back)
    assert people_of(made) == [{"user_id:u1", "user_id:u2"}]


def test_a_statement_below_the_least_authority_is_kept_and_joins_nobody_until_it_has_more() -> None:
    said = identify("u1", "a1", at=1)
    made = history_of(said, policy=policy('[kinds.cooccur]\nminimum_authority = "verified"\n'))
    assert refusals_of(made) == {("anonymous_id:a1", "user_id:u1"): "unverified"}
    made.receive([identify("u1", "a1", at=2, authority=Authority.VERIFIED)])
    assert people_of(made) == [{"user_id:u1", "anonymous_id:a1"}]


def test_a_statement_below_the_least_authority_makes_nothing_generic() -> None:
    claimed = [identify("u1", email="fam@x.com"), identify("u2", email="fam@x.com")]
    assert not history_of(*claimed, policy=policy('[kinds.cooccur]\nminimum_authority = "verified"\n')).generic


def test_t26_a_shared_address_can_join_where_users_are_not_unique() -> None:
    family = [identify("u1", email="fam@x.com"), identify("u2", email="fam@x.com")]
    assert len(people(*family)) == 2
    assert people(*family, under="[namespaces.user_id]\nunique = false\n") == [
        {"user_id:u1", "user_id:u2", "email:fam@x.com"}
    ]


def test_t32_without_a_list_of_blocked_values_a_test_address_is_like_any_other() -> None:
    tests = [identify("u1", email="test@test.com"), identify("u2", email="test@test.com")]
    made = history_of(*tests, policy=policy("[blocked]\nvalues = []\npatterns = []\n"))
    assert set(made.generic) == {"email:test@test.com"}


def test_t36_an_address_can_be_compared_with_its_case() -> None:
    said = [identify(email="Ann@X.com"), identify(email="ann@x.com")]
    assert len(people(*said)) == 1
    assert len(people(*said, under='[namespaces.email]\nnormaliser = "text"\n')) == 2


FOLDED = '[namespaces.email]\nnormaliser = "email_folded"\n'


@pytest.mark.parametrize(
    ("raw", "box"),
    [
        ("A.nn+news@Gmail.com", "ann@gmail.com"),
        ("ann@googlemail.com", "ann@gmail.com"),
        ("a.nn+x@web.de", "a.nn@web.de"),
        ("+x@web.de", "+x@web.de"),
    ],
)
def test_t37_an_address_can_be_folded_to_its_mailbox(raw: str, box: str) -> None:
    (found,) = hear(identify(email=raw), policy(FOLDED)).identifiers
    assert found.key == f"email:{box}"


def test_t37_what_is_no_address_is_none_when_folded_either() -> None:
    assert not hear(identify("u1", email="ann"), policy(FOLDED)).links


APART = '[namespaces.email]\nover_active = "apart"\n'


def test_t44_a_sixth_address_can_stay_a_person_of_its_own() -> None:
    made = history_of(*SIX, policy=policy(APART))
    assert len(people(*SIX)) == 1
    assert people_of(made)[1] == {"email:e6@x.com"}
    assert refusals_of(made) == {("email:e6@x.com", "user_id:u1"): "limit"}


def test_t44_which_address_is_the_sixth_does_not_depend_on_arrival() -> None:
    assert people(*SIX, under=APART) == people(*reversed(SIX), under=APART)


def test_t46_a_merge_can_be_denied_because_of_a_limit() -> None:
    halves = [identify(None, f"a{half}", email=f"e{half}{each}@x.com", at=1) for half in "12" for each in range(3)]
    bridge = message(MessageKind.IDENTIFY, [("anonymous_id", "a1"), ("anonymous_id", "a2")], at=9.0)
    assert len(people(*halves, bridge)) == 1
    assert len(people(*halves, bridge, under=APART)) == 2


def test_t17_t73_a_device_can_stay_with_whom_it_met_first() -> None:
    said = [track("a1", email="e9@x.com", at=1), identify("u1", "a1", at=2), identify("u2", "a1", at=3)]
    assert people(*said) == [{"email:e9@x.com"}, {"user_id:u1"}, {"user_id:u2"}]
    assert people(*said, under="[namespaces.anonymous_id]\ngeneric_above = 0\n") == [
        {"anonymous_id:a1", "email:e9@x.com", "user_id:u1"},
        {"user_id:u2"},
    ]


def test_a_namespace_can_block_values_and_patterns_of_its_own_without_case() -> None:
    own = policy('[namespaces.user_id]\nblocked_values = ["Demo"]\nblocked_patterns = ["QA-*"]\n')
    assert [hear(identify(user), own).actor for user in ("demo", "qa-7", "DEMO")] == [None, None, None]
    assert hear(track("demo"), own).actor == "anonymous_id:demo"


def test_a_pattern_in_capitals_blocks_as_well() -> None:
    assert hear(identify("noreply-1"), policy('[blocked]\npatterns = ["NoReply-*"]\n')).actor is None


def test_kinds_without_rules_link_whatever_their_authority() -> None:
    assert policy("").kind("manual") == KindRules() == policy("").kind("cooccur")


def test_unique_shop_addresses_part_two_guests_on_one_tablet() -> None:
    guests = [identify(None, "a1", email="x@x.com", at=1), identify(None, "a1", email="y@x.com", at=2)]
    shop = policy_from_toml(presets()["shop"], presets())
    assert len(people(*guests)) == 1
    assert people_of(history_of(*guests, policy=shop)) == [{"email:x@x.com"}, {"email:y@x.com"}]


def test_a_namespace_that_blocks_nothing_of_its_own_blocks_nothing() -> None:
    assert not Namespace(name="x", role=policy("").namespaces["email"].role, priority=1).blocks("a")


def test_what_is_unverified_is_kept_and_joins_nobody_whatever_the_policy_until_somebody_claims_it() -> None:
    unverified = Authority.UNVERIFIED
    made = history_of(identify("u1", "a1", at=1, authority=unverified))
    assert people_of(made) == [{"anonymous_id:a1"}, {"user_id:u1"}]
    assert refusals_of(made) == {("anonymous_id:a1", "user_id:u1"): "unverified"}
    made.receive([identify("u1", "a1", at=2)])
    assert people_of(made) == [{"user_id:u1", "anonymous_id:a1"}]


def test_no_number_of_unverified_users_makes_a_device_shared() -> None:
    forged = [identify(f"u{number}", "a1", at=number, authority=Authority.UNVERIFIED) for number in range(2, 90)]
    made = history_of(identify("u1", "a1", at=1), *forged)
    assert {"user_id:u1", "anonymous_id:a1"} in people_of(made)
    assert not made.generic


def test_a_namespace_blocks_what_its_patterns_match_and_nothing_else() -> None:
    rules = Namespace(name="x", role=policy("").namespaces["email"].role, priority=1, blocked_patterns=("qa-*",))
    assert [rules.blocks(each) for each in ("qa-7", "ann")] == [True, False]
