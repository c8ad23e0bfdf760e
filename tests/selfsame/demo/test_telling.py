"""What the demo says when something is not as it should be."""

from datetime import datetime, timedelta

from selfsame.demo import questions as asked
from selfsame.demo.cast import ADA
from selfsame.demo.fernhill import truth
from selfsame.demo.questions import Edge, Page
from selfsame.demo.telling import account_told, refusals_told, sharing_told, story_told, why_told
from tests.building import START
from tests.selfsame.demo.records import company

NAME = (asked.Value("Ada"), asked.Value("Quill"))


def page(*nodes: object) -> Page[object]:
    return Page(tuple(Edge(node) for node in nodes))


def story(identifiers: frozenset[tuple[str, str]] = ADA.names) -> asked.HerStory:
    """A visit on each device, both unknown."""
    devices = [device.anonymous_id for device in ADA.devices]
    starts: list[datetime] = [START + timedelta(days=day) for day in range(len(devices))]
    return asked.HerStory(
        asked.Heroine(
            NAME,
            page(*(asked.Name(*each) for each in sorted(identifiers))),  # type: ignore[arg-type] # of names
            page(*(asked.Session(at, at, ("Home",)) for at in starts)),  # type: ignore[arg-type] # of sessions
            page(  # type: ignore[arg-type] # of interactions
                *(
                    asked.Interaction(at, "PAGE", "web", asked.Name("anonymous_id", device))
                    for at, device in zip(starts, devices, strict=True)
                )
            ),
        )
    )


def test_a_story_as_it_should_be_contradicts_nothing() -> None:
    assert story_told(story()).wrong == ()


def test_a_lost_card_contradicts_the_truth() -> None:
    wrong = story_told(story(ADA.names - {("loyalty", ADA.loyalty or "")})).wrong
    assert wrong == ("Ada Quill has other identifiers than she should: [('loyalty', 'L-700001')]",)


def test_two_identifiers_of_one_person_told_apart_contradict_the_truth() -> None:
    assert why_told(asked.WhyOne(asked.Explanation(same=False, sentence="They are two."))).wrong


def test_spouses_who_became_one_contradict_the_truth() -> None:
    one, two = asked.Explanation(same=True), asked.Explanation(same=False)
    assert refusals_told(asked.WhyNot(friends=two, spouses=one)).wrong == ("Marta and Owen Fairley became one person",)


def test_a_tablet_with_too_few_users_contradicts_the_truth() -> None:
    def device(users: int) -> asked.Device:
        return asked.Device(asked.Sharing(shared=True, shared_by=asked.People(users, ())))

    told = sharing_told(asked.WhoShares(tablet=device(1), kiosk=device(30)), truth(company()))
    assert told.wrong == ("The tablet in a kitchen has 1 users instead of 2",)


def test_other_colleagues_and_another_company_contradict_the_truth() -> None:
    acme = asked.Membership(asked.Account("Acme", None))
    answer = asked.HerAccount(asked.Colleague((acme,), page()))  # type: ignore[arg-type] # of people
    assert len(account_told(answer).wrong) == 2
