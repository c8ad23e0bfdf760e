"""The people of the stories, by name; they are the same under every seed."""

from datetime import UTC, datetime

from selfsame.demo.company import Account, Device, Person, opaque

LAPTOP, APP, TABLET_MODEL = "Mozilla/5.0 (X11; Linux x86_64)", "Pixel 9", "Mozilla/5.0 (iPad; CPU OS 19_3)"

NORTHGATE_GROUP = Account(
    id="A-1001", name="Northgate Group", domain="northgate.example", industry="Climbing walls", city="Leeds"
)
NORTHGATE_CLIMBING = Account(
    id="A-1002",
    name="Northgate Climbing",
    domain="northgate-climbing.example",
    industry="Climbing walls",
    city="Leeds",
    parent_id="A-1001",
)
HARBOURSIDE = Account(
    id="A-1003",
    name="Harbourside Outfitters",
    domain="harbourside-outfitters.example",
    industry="Outdoor retail",
    city="Whitby",
)
NORTHGATE_CYCLES = Account(
    id="A-1004",
    name="Northgate Cycles",
    domain="northgate-cycles.example",
    industry="Cycling",
    city="Bradford",
    parent_id="A-1001",
)
ACCOUNTS = (NORTHGATE_GROUP, NORTHGATE_CLIMBING, HARBOURSIDE, NORTHGATE_CYCLES)


def _browser(whose: str, model: str = LAPTOP) -> Device:
    return Device(opaque("cast", whose, "browser"), model)


def _app(whose: str) -> Device:
    return Device(opaque("cast", whose, "app"), APP, opaque("cast", whose, "device").upper())


def _on(month: int, day: int, hour: int = 18) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


ADA = Person(
    key="ada",
    first_name="Ada",
    last_name="Quill",
    city="Leeds",
    email="ada.quill@mail.example",
    phone="+441134960001",
    user_id="fh-20001",
    joined=_on(3, 14),
    loyalty="L-700001",
    contact_ids=("C-1001",),
    account_id=NORTHGATE_CLIMBING.id,
    title="Head of buying",
    devices=(_browser("ada"), _app("ada")),
    tells_phone=True,
    scripted=True,
)
BRAM = Person(
    key="bram",
    first_name="Bram",
    last_name="Solberg",
    city="Leeds",
    email="bram.solberg@northgate-climbing.example",
    phone="+441134960002",
    user_id="fh-20002",
    joined=_on(3, 20),
    contact_ids=("C-1002",),
    account_id=NORTHGATE_CLIMBING.id,
    title="Store manager",
    devices=(_browser("bram"),),
    visits=5,
)
PRIYA = Person(
    key="priya",
    first_name="Priya",
    last_name="Nandakumar",
    city="Leeds",
    email="priya.nandakumar@northgate-climbing.example",
    contact_ids=("C-1003",),
    account_id=NORTHGATE_CLIMBING.id,
    title="Finance",
)
CALLUM = Person(
    key="callum",
    first_name="Callum",
    last_name="Reyes",
    city="Leeds",
    email="callum.reyes@northgate-climbing.example",
    user_id="fh-20003",
    joined=_on(4, 8),
    contact_ids=("C-1004",),
    account_id=NORTHGATE_CLIMBING.id,
    title="Instructor",
    devices=(_browser("callum"), _app("callum")),
    visits=6,
)
HELEN = Person(
    key="helen",
    first_name="Helen",
    last_name="Ostrow",
    city="Leeds",
    email="helen.ostrow@northgate.example",
    phone="+441134960005",
    contact_ids=("C-1005",),
    account_id=NORTHGATE_GROUP.id,
    title="Owner",
)

FAMILY_TABLET = _browser("marlow tablet", TABLET_MODEL)
INES = Person(
    key="ines",
    first_name="Ines",
    last_name="Marlow",
    city="York",
    email="ines.marlow@post.example",
    user_id="fh-20011",
    joined=_on(3, 11),
    devices=(_app("ines"),),
    visits=3,
)
TOM = Person(
    key="tom",
    first_name="Tom",
    last_name="Marlow",
    city="York",
    email="tom.marlow@inbox.example",
    user_id="fh-20012",
    joined=_on(3, 12),
    devices=(_app("tom"),),
    visits=3,
)

KIOSK = Device(opaque("cast", "kiosk", "browser"), "Kiosk 1, Leeds shop", opaque("cast", "kiosk", "device").upper())

FAIRLEY_EMAIL = "fairley.family@post.example"
MARTA = Person(
    key="marta",
    first_name="Marta",
    last_name="Fairley",
    city="Skipton",
    email=FAIRLEY_EMAIL,
    phone="+441134960021",
    user_id="fh-20021",
    joined=_on(3, 18),
    loyalty="L-700021",
    contact_ids=("C-1011",),
    devices=(_browser("marta"),),
    visits=6,
    tells_phone=True,
)
OWEN = Person(
    key="owen",
    first_name="Owen",
    last_name="Fairley",
    city="Skipton",
    email=FAIRLEY_EMAIL,
    phone="+441134960022",
    user_id="fh-20022",
    joined=_on(4, 2),
    loyalty="L-700022",
    contact_ids=("C-1012",),
    devices=(_app("owen"),),
    visits=4,
    tells_phone=True,
)

TEAM_EMAIL = "team@harbourside-outfitters.example"


def _at_harbourside(key: str, first_name: str, last_name: str, user_id: str, joined: datetime) -> Person:
    return Person(
        key=key,
        first_name=first_name,
        last_name=last_name,
        city="Whitby",
        email=TEAM_EMAIL,
        user_id=user_id,
        joined=joined,
        account_id=HARBOURSIDE.id,
        devices=(_browser(key),),
        visits=5,
    )


NOOR = _at_harbourside("noor", "Noor", "Haddad", "fh-20031", _on(3, 9))
JACK = _at_harbourside("jack", "Jack", "Penrose", "fh-20032", _on(3, 23))
LUCIA = _at_harbourside("lucia", "Lucia", "Ferro", "fh-20033", _on(4, 21))

PASSED_PHONE = "+441134960040"
LEO = Person(
    key="leo",
    first_name="Leo",
    last_name="Brandt",
    city="Halifax",
    email="leo.brandt@letters.example",
    phone=PASSED_PHONE,
    user_id="fh-20041",
    joined=_on(3, 16),
    devices=(_browser("leo"),),
    tells_phone=True,
    scripted=True,
)
SUKI = Person(
    key="suki",
    first_name="Suki",
    last_name="Ash",
    city="Halifax",
    email="suki.ash@mail.example",
    phone=PASSED_PHONE,
    user_id="fh-20042",
    joined=_on(6, 5),
    devices=(_app("suki"),),
    tells_phone=True,
    scripted=True,
)

HANA = Person(
    key="hana",
    first_name="Hana",
    last_name="Vesely",
    city="Ilkley",
    email="hana.vesely@post.example",
    user_id="fh-20051",
    joined=_on(4, 17),
    devices=(_app("hana"),),
    scripted=True,
)

THEO = Person(
    key="theo",
    first_name="Theo",
    last_name="Lang",
    city="Sheffield",
    email="theo.lang@inbox.example",
    user_id="fh-20061",
    joined=_on(3, 27),
    devices=(_browser("theo"),),
    scripted=True,
)
JONAS = Person(
    key="jonas",
    first_name="Jonas",
    last_name="Weir",
    city="Sheffield",
    email="jonas.weir@mail.example",
    user_id="fh-20062",
    joined=_on(4, 4),
    devices=(_app("jonas"),),
    scripted=True,
)

WREN = Person(
    key="wren",
    first_name="Wren",
    last_name="Calloway",
    city="Kendal",
    email="wren.calloway@letters.example",
    user_id="fh-20071",
    joined=_on(4, 5),
    devices=(_browser("wren"), _app("wren")),
    scripted=True,
)

GORDON = Person(
    key="gordon",
    first_name="Gordon",
    last_name="Pryce",
    city="Whitby",
    email="gordon.pryce@harbourside-outfitters.example",
    contact_ids=("C-1021", "C-1022"),
    account_id=HARBOURSIDE.id,
    title="Owner",
    scripted=True,
)


def _visitor(number: int, first_name: str, last_name: str) -> Person:
    device = _browser(f"broken build {number}")
    return Person(
        key=f"visitor{number}",
        first_name=first_name,
        last_name=last_name,
        city="Buxton",
        devices=(device,),
        scripted=True,
    )


VISITORS = (
    _visitor(1, "Edda", "Lomax"),
    _visitor(2, "Piotr", "Sawicki"),
    _visitor(3, "Rosalind", "Tye"),
    _visitor(4, "Kwame", "Asante"),
    _visitor(5, "Ottilie", "Brand"),
    _visitor(6, "Davide", "Conti"),
)

NORTHGATE = (ADA, BRAM, PRIYA, CALLUM, HELEN)
MARLOWS = (INES, TOM)
FAIRLEYS = (MARTA, OWEN)
TEAM = (NOOR, JACK, LUCIA)
PEOPLE = (*NORTHGATE, *MARLOWS, *FAIRLEYS, *TEAM, LEO, SUKI, HANA, THEO, JONAS, WREN, GORDON, *VISITORS)
