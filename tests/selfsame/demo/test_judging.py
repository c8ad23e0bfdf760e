from collections.abc import Mapping

from graph.exports import IdentifierLine
from identity.identifiers import ProfileId
from selfsame.demo.fernhill import TruePerson, Truth
from selfsame.demo.judging import Judgement, judged

ADA = TruePerson("ada", "Ada", frozenset({("user_id", "u1"), ("anonymous_id", "a1"), ("loyalty", "L1")}))
BO = TruePerson("bo", "Bo", frozenset({("user_id", "u2")}))
TABLET = ("anonymous_id", "tablet")
TRUTH = Truth((ADA, BO), {TABLET: ("ada", "bo")}, {})


def judgement(**profiles: str) -> Judgement:
    """Profiles of Ada's user id, device and card, of Bo's user id, and of the tablet they share."""
    named = {"u1": "user_id", "a1": "anonymous_id", "L1": "loyalty", "u2": "user_id", "tablet": "anonymous_id"}
    given: Mapping[str, str] = {"u1": "p1", "a1": "p1", "L1": "p1", "u2": "p2", "tablet": "p3", **profiles}
    lines = [IdentifierLine(ProfileId(given[value]), namespace, value) for value, namespace in named.items()]
    return judged([line for line in lines if line.profile != "unmet"], TRUTH)


def test_people_whose_identifiers_are_one_profile_are_whole() -> None:
    assert judgement() == Judgement(people=2, whole=2, parted=0, parts=0, lone=0, unmet=0, confused=())


def test_a_person_in_pieces_counts_once_and_her_pieces_too() -> None:
    found = judgement(L1="p4")
    assert (found.whole, found.parted, found.parts, found.lone) == (1, 1, 2, 0)


def test_a_device_apart_is_told_from_other_pieces() -> None:
    assert judgement(a1="p4").lone == 1


def test_identifiers_that_no_record_names_are_not_missed() -> None:
    assert judgement(L1="unmet").whole == 2


def test_a_person_whom_no_record_names_is_unmet() -> None:
    assert (judgement(u2="unmet").whole, judgement(u2="unmet").unmet) == (1, 1)


def test_two_people_in_one_profile_are_named() -> None:
    assert judgement(u2="p1").confused == ("Ada and Bo became one profile (p1)",)


def test_a_shared_thing_given_to_one_of_them_is_named() -> None:
    assert judgement(tablet="p1").confused == (
        "anonymous_id:tablet, which several people share, was given to one of them",
    )
