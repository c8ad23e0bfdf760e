"""The people of these tests: a small family around Anna, and crowds of any size."""

from tests.graph.world import World

KIOSK = "anonymous_id:kiosk"


def family() -> World:
    """Anna on two devices, her colleague Ben, the kiosk both use, their company and what it is part of."""
    made = World().person(
        "anna", "user_id:anna", "anonymous_id:a1", "email:anna@fern.no", "anonymous_id:a2", city="Oslo", shoe=38
    )
    made.person("ben", "user_id:ben", "email:ben@fern.no", city="Bergen")
    made.person("kiosk", KIOSK, known=False, shared="values")
    made.shares("anna", KIOSK, (10, 20)).shares("ben", KIOSK, (30, 40))
    made.linked("user_id:anna", "email:anna@fern.no", kind="import_key").linked("email:anna@fern.no", "anonymous_id:a1")
    made.linked("anonymous_id:a1", "anonymous_id:a2").linked("user_id:anna", KIOSK, reason="generic")
    made.linked("user_id:ben", KIOSK, reason="generic")
    made.account("account:group", "Fern Group").account(
        "account:fern", "Fern", parent="account:group", domain="fern.no"
    )
    made.member("user_id:anna", "account:fern", "buyer", 5).member("user_id:ben", "account:fern", "owner")
    made.did("anonymous_id:a1", 1, "Home", id="web:1", type="page").did("user_id:anna", 2, "Signed In", id="web:2")
    made.did(KIOSK, 15, "Product Viewed", id="web:3", properties='{"sku":"B-1","price":9.5}')
    return made.did(
        "anonymous_id:a2",
        90,
        "Order Completed",
        id="web:4",
        identifiers='[["email"," Anna@Fern.no ","traits.email"]]',
        traits='{"city":"Oslo"}',
        context='{"page":{"path":"/"}}',
        warnings=["blocked userId: the value is a placeholder"],
    )


def crowd(size: int) -> World:
    """So many people in one account, each on a device of her own and at the kiosk they all share."""
    made = World().person("kiosk", KIOSK, known=False, shared="partners")
    made.account("account:top", "Top").account("account:all", "All", parent="account:top")
    for number in range(size):
        user = f"user_id:{number}"
        made.person(f"p{number:02d}", user, f"anonymous_id:{number}", f"email:{number}@fern.no", city="Oslo")
        made.member(user, "account:all", "member").shares(f"p{number:02d}", KIOSK, (number, number + 1))
        for minute in (1, 100):
            made.did(user, minute, id=f"web:{number}-{minute}", properties='{"a":1}')
    return made
