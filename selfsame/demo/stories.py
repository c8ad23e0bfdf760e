"""What happens at Fernhill on purpose: each story with its people and the identifiers to ask for."""

from collections.abc import Sequence

from selfsame.demo import cast
from selfsame.demo.company import Device, Person, Story


def stories(kiosk_users: Sequence[Person]) -> tuple[Story, ...]:
    """All stories, the heroine's first. kiosk_users: who signs in at the shop's kiosk."""
    return (
        _heroine(),
        _tablet(),
        _kiosk(kiosk_users),
        _spouses(),
        _team_mailbox(),
        _passed_phone(),
        _late_and_repeated(),
        _alias(),
        _broken_build(),
        _login_conflict(),
        _duplicate_contact(),
    )


def _email(person: Person) -> tuple[str, str]:
    return ("email", person.email or "")


def _user(person: Person) -> tuple[str, str]:
    return ("user_id", person.user_id or "")


def _browser(device: Device) -> tuple[str, str]:
    return ("anonymous_id", device.anonymous_id)


def _heroine() -> Story:
    ada, (laptop, app) = cast.ADA, cast.ADA.devices
    return Story(
        key="heroine",
        sentence="Ada Quill browses unknown on a laptop and a phone, signs up, buys at the till and is a CRM contact.",
        people=(ada, *cast.NORTHGATE[1:]),
        asks={
            "email": _email(ada),
            "user": _user(ada),
            "laptop": _browser(laptop),
            "app": _browser(app),
            "phone_device": ("device_id", app.device_id or ""),
            "phone": ("phone", ada.phone or ""),
            "loyalty": ("loyalty", ada.loyalty or ""),
            "contact": ("crm_contact", ada.contact_ids[0]),
            "account": ("account", cast.NORTHGATE_CLIMBING.id),
            "parent_account": ("account", cast.NORTHGATE_GROUP.id),
            "colleague": _email(cast.BRAM),
        },
    )


def _tablet() -> Story:
    return Story(
        key="family_tablet",
        sentence="Ines and Tom Marlow sign in and out alternately on the tablet in their kitchen.",
        people=cast.MARLOWS,
        asks={"tablet": _browser(cast.FAMILY_TABLET), "ines": _user(cast.INES), "tom": _user(cast.TOM)},
        shared=cast.FAMILY_TABLET.names,
    )


def _kiosk(users: Sequence[Person]) -> Story:
    return Story(
        key="kiosk",
        sentence="Thirty customers sign in at the kiosk in the Leeds shop.",
        people=tuple(users),
        asks={"kiosk": _browser(cast.KIOSK), "kiosk_device": ("device_id", cast.KIOSK.device_id or "")},
        shared=cast.KIOSK.names,
    )


def _spouses() -> Story:
    return Story(
        key="spouses",
        sentence="Marta and Owen Fairley share one email, on the web and in the CRM.",
        people=cast.FAIRLEYS,
        asks={"email": ("email", cast.FAIRLEY_EMAIL), "marta": _user(cast.MARTA), "owen": _user(cast.OWEN)},
        shared=frozenset({("email", cast.FAIRLEY_EMAIL)}),
    )


def _team_mailbox() -> Story:
    return Story(
        key="team_mailbox",
        sentence="Noor, Jack and Lucia of Harbourside Outfitters each sign up with the team's mailbox.",
        people=cast.TEAM,
        asks={"email": ("email", cast.TEAM_EMAIL), **{person.key: _user(person) for person in cast.TEAM}},
        shared=frozenset({("email", cast.TEAM_EMAIL)}),
    )


def _passed_phone() -> Story:
    return Story(
        key="passed_phone",
        sentence="Leo Brandt's number of March is Suki Ash's number in June.",
        people=(cast.LEO, cast.SUKI),
        asks={"phone": ("phone", cast.PASSED_PHONE), "leo": _user(cast.LEO), "suki": _user(cast.SUKI)},
        shared=frozenset({("phone", cast.PASSED_PHONE)}),
    )


def _late_and_repeated() -> Story:
    laptop, app = cast.WREN.devices
    return Story(
        key="late_and_repeated",
        sentence="Wren Calloway's phone was offline on the fells: its events arrive two days late, and twice.",
        people=(cast.WREN,),
        asks={"email": _email(cast.WREN), "laptop": _browser(laptop), "app": _browser(app)},
    )


def _alias() -> Story:
    return Story(
        key="alias",
        sentence="Hana Vesely's app says by an alias that its anonymous id is hers.",
        people=(cast.HANA,),
        asks={"app": _browser(cast.HANA.devices[0]), "user": _user(cast.HANA), "email": _email(cast.HANA)},
    )


def _broken_build() -> Story:
    return Story(
        key="broken_build",
        sentence="For a day the web shop sent the user id «undefined»: six visitors who are not one person.",
        people=cast.VISITORS,
        asks={person.key: _browser(person.devices[0]) for person in cast.VISITORS},
    )


def _login_conflict() -> Story:
    return Story(
        key="login_conflict",
        sentence="Jonas Weir asks for a sign-in link on Theo Lang's laptop; both are known, so nothing may join them.",
        people=(cast.THEO, cast.JONAS),
        asks={
            "theo": _user(cast.THEO),
            "jonas": _user(cast.JONAS),
            "laptop": _browser(cast.THEO.devices[0]),
            "email": _email(cast.JONAS),
        },
    )


def _duplicate_contact() -> Story:
    return Story(
        key="duplicate_contact",
        sentence="Gordon Pryce stands in the CRM twice with one email; records alone cannot tell him from two people.",
        people=(cast.GORDON,),
        asks={
            "email": _email(cast.GORDON),
            "first": ("crm_contact", cast.GORDON.contact_ids[0]),
            "second": ("crm_contact", cast.GORDON.contact_ids[1]),
        },
    )
