"""The people of these tests: a small family around Anna, and crowds of any size."""

from tests.graph.world import World

KIOSK = "anonymous_id:kiosk"
ORDERED = '{"currency":"GBP","total":19,"products":[{"sku":"B-1","quantity":2,"price":9.5}]}'


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
        made.did(user, 101, "Order Completed", id=f"web:order-{number}")
        made.thing("Order", f"web:{number}", f"web:order-{number}", account="account:all")
        made.thing("Product", f"web:{number}", f"web:order-{number}")
    return made


def buyers() -> World:
    """Anna, who buys as herself and at the kiosk, asks for help, and has to do with a deal; Ben buys there as well."""
    made = (
        family()
        .did(KIOSK, 12, "Order Placed", id="web:k1", properties=ORDERED)
        .did(KIOSK, 32, "Order Placed", id="web:k2")
    )
    made.did("user_id:anna", 60, "Order Completed", id="shop:1").did(
        "email:anna@fern.no", 70, "Order Refunded", id="shop:2"
    )
    made.did("user_id:anna", 80, "Order Completed", id="shop:3").did("user_id:anna", 81, "Ticket Created", id="desk:1")
    made.did("user_id:anna", 82, "Deal won", id="crm:1", properties='{"n":1}')
    made.thing("Product", "web:B-1", "web:k1", name="Rope", price="9.50", currency="GBP")
    made.thing("Order", "web:1", "web:k1", total="19.00", currency="GBP").thing("Order", "web:2", "web:k2")
    made.thing("Order", "shop:1", "shop:1", "shop:2", total=7, status="refunded", account="account:fern")
    made.thing("Order", "shop:3", "shop:3").thing("Order", "shop:4", "shop:3")
    made.thing(
        "Ticket", "desk:7", "desk:1", account="account:fern", subject="It squeaks", closed_at="2026-01-02T00:00:00Z"
    )
    made.thing("Deal", "crm:9", "crm:1", account="account:fern", name="Ropes", amount="1500", stage="won", won=True)
    return made.thing("Campaign", "ads:1", "crm:1", name="Spring")
