"""Exports of Salesforce and HubSpot: what a row or record of each object becomes."""

import csv
import re
from io import StringIO
from pathlib import Path

import pytest

from identity.messages import Authority, Json, Message, Subject
from loaders.errors import MappingInvalidError
from loaders.formats.records import Found
from loaders.mapping import mapping_named
from loaders.mapping_text import Local
from loaders.translating import Translated, translated
from tests.loaders.mappings import shipped, trait
from tests.loaders.segment import NOW

SHORT, LONG = "001A0000006Vm9r", "001A0000006Vm9rIAC"


def read(name: str, record: Json) -> Translated:
    return translated(Found(record, "export:2", "raw"), shipped(name), NOW)


def told(name: str, record: Json) -> tuple[Message, ...]:
    found = read(name, record)
    assert found.rejection is None, found.rejection
    assert [each.warnings for each in found.messages if each.warnings] == []
    return found.messages


def row(name: str, text: str) -> Json:
    """A row of a file that has all columns its mapping asks for."""
    said: dict[str, Json] = dict(pair.split("=", 1) for pair in next(csv.reader(StringIO(text))))
    columns: dict[str, Json] = {column: None for _, column in shipped(name).asked}
    assert said.keys() <= columns.keys()
    return {**columns, "IsDeleted": "false", "SystemModstamp": "2026-01-15T09:00:00.000Z", **said}


def who(message: Message) -> list[str]:
    return [f"{each.namespace}={each.value}{' retired' * each.retired}" for each in message.sightings]


@pytest.mark.parametrize(
    ("given", "wide"),
    [(SHORT, LONG), (LONG, LONG), ("500000000000AbC", "500000000000AbCAAU"), ("aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaAAA"),
     ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"), ("no id", "no id")],
)  # fmt: skip
def test_an_id_of_15_characters_becomes_the_one_of_18(given: str, wide: str) -> None:
    assert trait('{ salesforce_id = "raw" }', {"raw": given}) == (wide, [])


def test_a_contact_is_the_same_by_either_id_and_belongs_to_its_account() -> None:
    text = f"Id=003{SHORT[3:]},Email=vic@x.com,Phone=+442079460130,FirstName=Vic,AccountId={SHORT}"
    (message,) = told("salesforce_contacts", row("salesforce_contacts", text))
    assert who(message) == ["salesforce_contact=003A0000006Vm9rIAC", "email=vic@x.com", "phone=+442079460130"]
    assert message.account is not None
    assert (message.account.key, message.sure) == (f"salesforce_account:{LONG}", True)
    assert message.traits == {"first_name": "Vic", "email": "vic@x.com"}


def test_a_contact_that_was_merged_away_leads_to_the_one_it_became_and_a_deleted_one_nowhere() -> None:
    (message,) = told("salesforce_contacts", row("salesforce_contacts", "Id=b,MasterRecordId=a,IsDeleted=true"))
    assert who(message) == ["salesforce_contact=b retired", "salesforce_contact=a"]
    assert {each.authority for each in message.sightings} == {Authority.IMPORTED}
    assert read("salesforce_contacts", row("salesforce_contacts", "Id=b,IsDeleted=true")).skipped is not None


def test_a_change_event_tells_a_merge_where_the_relay_asked_for_the_field() -> None:
    header: Json = {"entityName": "Contact", "changeType": "DELETE", "recordIds": ["b"], "transactionKey": "t"}
    payload: Json = {"ChangeEventHeader": {**header, "sequenceNumber": 1, "commitTimestamp": 1}, "MasterRecordId": "a"}
    record: Json = {"body": {"payload": payload}, "headers": {}}
    (message,) = told("salesforce", record)
    assert who(message) == ["salesforce_contact=b retired", "salesforce_contact=a"]
    payload["MasterRecordId"] = None
    assert told("salesforce", record) == ()


def test_a_lead_is_linked_to_what_it_became() -> None:
    (message,) = told("salesforce_leads", row("salesforce_leads", "Id=l1,ConvertedContactId=c1,MasterRecordId=l2"))
    assert who(message) == ["salesforce_lead=l1", "salesforce_contact=c1", "salesforce_lead=l2"]


THINGS = {
    "opportunities": ("Id=o1,Name=Big,Amount=1200.5,IsWon=false", Subject.DEAL, "salesforce:o1", None),
    "cases": (f"Id=k1,Subject=Leak,AccountId={SHORT}", Subject.TICKET, "salesforce:k1", f"salesforce_account:{LONG}"),
}


@pytest.mark.parametrize("name", sorted(THINGS))
def test_deals_and_tickets_are_told_with_their_facts_and_their_account(name: str) -> None:
    text, subject, key, account = THINGS[name]
    (message,) = told(f"salesforce_{name}", row(f"salesforce_{name}", text))
    (thing,) = message.about
    assert (message.sightings, thing.subject, thing.key, thing.account) == ((), subject, key, account)
    assert thing.facts


def test_accounts_cases_roles_and_campaign_members_say_whose_they_are() -> None:
    (account,) = told("salesforce_accounts", row("salesforce_accounts", f"Id={SHORT},ParentId={LONG},Name=Fern"))
    assert account.account is not None
    assert (account.account.key, account.account.parent, account.account.member) == (
        f"salesforce_account:{LONG}", f"salesforce_account:{LONG}", False,
    )  # fmt: skip
    _, opened = told("salesforce_cases", row("salesforce_cases", "Id=k1,ContactId=c1"))
    (role,) = told("salesforce_opportunity_roles", row("salesforce_opportunity_roles", "ContactId=c1,OpportunityId=o1"))
    (member,) = told("salesforce_campaign_members", row("salesforce_campaign_members", "ContactId=c1,CampaignId=m1"))
    assert {name for each in (opened, role, member) for name in who(each)} == {"salesforce_contact=c1"}
    assert [each.about[0].subject for each in (opened, role, member)] == ["Ticket", "Deal", "Campaign"]


CONTACT: Json = {
    "id": "601",
    "properties": {"email": "lena@x.com", "firstname": "Lena", "hs_merged_object_ids": "602;603"},
    "createdAt": "2026-01-10T09:00:00Z",
    "updatedAt": "2026-01-15T09:00:00Z",
    "archived": False,
    "associations": {"companies": {"results": [{"id": "710", "type": "contact_to_company"}]}},
}


def test_a_hubspot_contact_has_the_id_of_its_webhook_its_merged_records_and_its_company() -> None:
    first, *merged, company = told("hubspot_contacts", CONTACT)
    assert who(first) == ["hubspot_contact=33001:601", "email=lena@x.com"]
    assert [who(each) for each in merged] == [
        [f"hubspot_contact=33001:{old} retired", "hubspot_contact=33001:601"] for old in (602, 603)
    ]
    assert company.account is not None
    assert company.account.key == "hubspot_company:33001:710"


@pytest.mark.parametrize(("name", "subject"), [("deals", Subject.DEAL), ("tickets", Subject.TICKET)])
def test_hubspot_deals_and_tickets_have_the_ids_of_the_webhook(name: str, subject: Subject) -> None:
    contacts = {"contacts": {"results": [{"id": "601", "type": "deal_to_contact"}]}}
    record = {**CONTACT, "id": "9", "properties": {"amount": "12.5", "subject": "Leak"}, "associations": contacts}
    first, second = told(f"hubspot_{name}", record)
    things = [(each.about[0].subject, each.about[0].key) for each in (first, second)]
    assert things == [(subject, "hubspot:33001:9")] * 2
    assert (first.sightings, who(second)) == ((), ["hubspot_contact=33001:601"])


def test_a_hubspot_company_and_what_is_archived() -> None:
    (company,) = told("hubspot_companies", {**CONTACT, "id": "710", "properties": {"name": "Fern"}})
    assert company.account is not None
    assert (company.account.key, company.account.traits) == ("hubspot_company:33001:710", {"name": "Fern"})
    assert read("hubspot_contacts", {**CONTACT, "archived": True}).skipped is not None


def test_what_a_mapping_wants_to_be_given_must_be_said_and_be_a_word() -> None:
    with pytest.raises(MappingInvalidError, match=r"say `--with portal=…`: the number of the HubSpot account"):
        mapping_named("hubspot_contacts")
    for given, sentence in (({"portal": "1'}"}, "letters, digits"), ({"portal": "1", "shop": "x"}, "`shop` is none")):
        with pytest.raises(MappingInvalidError, match=sentence):
            mapping_named("hubspot_contacts", Local(given=given))
    one, two = (mapping_named("hubspot_contacts", Local(given={"portal": each})) for each in ("1", "2"))
    assert (one.given, one.sha256 == two.sha256) == (("portal=1",), False)


QUERIES = re.findall(
    r"\| `(salesforce_\w+)` \| `SELECT (.*?) FROM",
    (Path(__file__).parents[2] / "docs" / "sources" / "salesforce.md").read_text("utf-8"),
)


@pytest.mark.parametrize(("name", "columns"), QUERIES)
def test_the_query_in_the_docs_gives_just_the_columns_that_its_mapping_reads(name: str, columns: str) -> None:
    assert set(columns.split(", ")) == {column for _, column in shipped(name).asked}
