"""Each story of the sample company, stitched by the pure rule from all of its records."""

from collections import Counter

import pytest

from identity.evidence import Reason
from identity.identifiers import IdentifierKey, ProfileId
from identity.messages import Authority
from identity.stitching import Cluster
from selfsame.demo.company import Story
from selfsame.demo.fernhill import truth
from tests.selfsame.demo.records import company, key, stitched

SENDERS = pytest.mark.parametrize("authority", [Authority.CLAIMED, Authority.VERIFIED])


def story(name: str) -> Story:
    return company().stories[name]


def cluster(name: str, ask: str, authority: Authority = Authority.CLAIMED) -> Cluster:
    return person_of(key(story(name).asks[ask]), authority)


def person_of(identifier: IdentifierKey, authority: Authority = Authority.CLAIMED) -> Cluster:
    return next(each for each in stitched(authority).clusters.values() if identifier in each.members)


def profile(name: str, ask: str) -> ProfileId:
    return cluster(name, ask).id


def refusals(name: str, ask: str) -> Counter[Reason]:
    asked = key(story(name).asks[ask])
    return Counter(why for link, why in stitched(Authority.CLAIMED).refused.items() if asked in {link.a, link.b})


@SENDERS
def test_no_two_true_people_are_ever_joined(authority: Authority) -> None:
    owner = {key(named): person.key for person in truth(company()).people for named in person.identifiers}
    for each in stitched(authority).clusters.values():
        assert len({owner[member] for member in each.members if member in owner}) <= 1


@SENDERS
def test_what_several_people_share_is_generic_and_nothing_else_but_the_duplicates_email(authority: Authority) -> None:
    shared = {key(named) for named in truth(company()).shared}
    assert stitched(authority).generic.keys() == shared | {key(story("duplicate_contact").asks["email"])}


@SENDERS
def test_most_people_are_one_profile(authority: Authority) -> None:
    profile_of = {member: each.id for each in stitched(authority).clusters.values() for member in each.members}
    met = [{profile_of.get(key(named)) for named in person.identifiers} - {None} for person in truth(company()).people]
    assert sum(len(profiles) == 1 for profiles in met) > 0.65 * len(met)


@SENDERS
def test_the_heroine_is_one_person_with_everything_that_is_hers(authority: Authority) -> None:
    asks = {
        name: named for name, named in story("heroine").asks.items() if "account" not in name and name != "colleague"
    }
    assert set(cluster("heroine", "email", authority).members) == {key(named) for named in asks.values()}
    assert len(asks) == 8


def test_the_heroine_and_her_colleagues_are_five_people_of_one_group_of_companies() -> None:
    people = story("heroine").people
    found = {person_of(key(("crm_contact", person.contact_ids[0]))).id for person in people}
    parents = {account.id: account.parent_id for account in company().accounts}
    assert len(found) == len(people) == 5
    assert {parents[person.account_id or ""] or person.account_id for person in people} == {"A-1001"}


def test_two_people_on_one_tablet_stay_two_and_the_tablet_is_nobodys() -> None:
    assert len({profile("family_tablet", ask) for ask in ("ines", "tom", "tablet")}) == 3
    assert cluster("family_tablet", "tablet").shared
    assert refusals("family_tablet", "tablet") == {Reason.GENERIC: 4}


def test_thirty_people_at_the_kiosk_stay_thirty() -> None:
    people = story("kiosk").people
    assert len({person_of(key(("user_id", person.user_id or ""))).id for person in people}) == 30
    assert cluster("kiosk", "kiosk").members == (key(story("kiosk").asks["kiosk"]),)


def test_spouses_stay_two_people_with_their_own_crm_contacts() -> None:
    marta, owen = cluster("spouses", "marta"), cluster("spouses", "owen")
    assert cluster("spouses", "email").shared
    assert IdentifierKey("crm_contact:C-1011") in marta.members
    assert IdentifierKey("crm_contact:C-1012") in owen.members


def test_colleagues_on_a_team_mailbox_stay_three_people() -> None:
    assert len({profile("team_mailbox", ask) for ask in ("noor", "jack", "lucia", "email")}) == 4


def test_a_phone_number_passed_on_joins_neither_owner() -> None:
    assert len({profile("passed_phone", ask) for ask in ("leo", "suki", "phone")}) == 3


def test_late_and_repeated_events_leave_one_person_on_two_devices() -> None:
    assert len({profile("late_and_repeated", ask) for ask in ("email", "laptop", "app")}) == 1


def test_an_alias_joins_the_app_to_the_person() -> None:
    assert len({profile("alias", ask) for ask in ("app", "user", "email")}) == 1


def test_undefined_is_nobody() -> None:
    assert len({profile("broken_build", ask) for ask in story("broken_build").asks}) == 6


def test_the_sign_in_link_on_a_friends_laptop_is_refused() -> None:
    assert profile("login_conflict", "theo") == profile("login_conflict", "laptop")
    assert profile("login_conflict", "jonas") == profile("login_conflict", "email")
    assert refusals("login_conflict", "laptop") == {Reason.UNIQUE: 1}


def test_a_duplicate_contact_is_not_joined_on_a_guess() -> None:
    assert len({profile("duplicate_contact", ask) for ask in ("first", "second", "email")}) == 3
