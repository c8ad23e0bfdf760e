"""Personal data: which fields hold it, and what is shown instead to who has not `pii:read`.

Every field of every type stands in one table; a test fails when one is missing, and one that is missing is refused.
What is hidden is hidden before it is read, so that no time that passes tells of it. What could be found out by asking
(a search, a filter by a value, an order, a cursor) is refused or ordered otherwise; to look somebody up by a whole
identifier is free, since who asks has the value.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from inspect import isawaitable
from typing import cast

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)

from graph.identifiers import StoredIdentifier
from insight.traits import ExplainedTrait
from resolvers.asking import Asking
from resolvers.errors import Code, refused

HIDDEN = "…"
LEAST_SHOWN = 8  # of a shorter value its end tells too much
Resolve = Callable[..., object]


class Rule(Enum):
    """What becomes of a field for who has not `pii:read`."""

    OPEN = "shown"
    SHAPE = "an identifier's value, of which a shape is left"
    TRAIT = "null, unless the settings say that the trait is open"
    NULL = "null"
    WORDS = "a text in which values may stand: `…`"
    ORDER = "identifiers, in an order that tells nothing of their values"
    ARGUMENTS = "refused where its arguments name a value that has to be guessed"
    REFUSED = "refused; the field may be null, so that what is around it stays"


def _rules(shown: str = "", **others: str) -> dict[str, Rule]:
    table = dict.fromkeys(shown.split(), Rule.OPEN)
    for rule, names in others.items():
        table |= dict.fromkeys(names.split(), Rule[rule.upper()])
    return table


LIST = _rules("edges pageInfo totalCount totalCountCapped")
PAGE = LIST | _rules("node cursor")
IDENTIFIER = _rules(
    "id namespace firstSeen lastSeen generic active sharedBy sharedWith profile",
    shape="value",
)
INTERACTION = _rules(
    "id at ownTime receivedAt type name channel source actor",
    null="properties traits context identifiers warnings",
)
THING = _rules("id key at", null="facts")
CHANGE = _rules(
    "id at kind cause by sentence reason decision count evidence",
    null="note",
    order="about",
)
PROBLEM = _rules("code", words="sentence")
STATEMENT = "role source since lastSeen"

FIELDS: Mapping[str, Mapping[str, Rule]] = {
    "Query": _rules(
        "profile account accounts device identifier order product deal ticket campaign node nodes changes segments "
        "unmergePreview sources source audience webhookEndpoints webhookEndpoint",
        arguments="profiles segmentPreview",
        refused="how whySame whyNot suggestions connection neighbourhood",
    ),
    "Mutation": _rules(
        "defineSegment removeSegment setTrait clearTrait mergeAccounts unmergeAccounts acceptSuggestion "
        "dismissSuggestion reopenSuggestion mergeProfiles unmerge undoDecision erase unsuppress createWebhookEndpoint "
        "changeWebhookEndpoint rotateWebhookSecret removeWebhookEndpoint redeliverWebhook recoverWebhooks"
    ),
    "Subscription": _rules("profileChanged identityChanges interactionAdded segmentChanged loadProgress"),
    "ProfileChange": _rules("sequence at profileId profile changes"),
    "IdentityChange": _rules("sequence change"),
    "InteractionAdded": _rules("sequence profileId profile interaction"),
    "SegmentChange": _rules("sequence at entered profileId profile"),
    "LoadProgress": _rules(
        "sequence run source file state records messages committed repeats rejected skipped fraction rate updatedAt"
    ),
    "Node": _rules("id"),
    "Profile": _rules(
        "id known shared pending firstSeen lastSeen traits trait identifiers accounts colleagues interactions sessions "
        "journey orders consents segments history sharedBy household sharedIdentifiers redirectedFrom",
        order="devices contacts contactPoints",
        refused="suggestions",
    ),
    "Identifier": IDENTIFIER,
    "Contact": IDENTIFIER,
    "Device": IDENTIFIER,
    "ContactPoint": IDENTIFIER,
    "IdentifierName": _rules("namespace identifier profile", shape="value"),
    "IdentifierPair": _rules("a b"),
    "SharedIdentifier": _rules("identifier first last"),
    "Sighting": _rules("namespace place", words="value"),
    "Trait": _rules(
        "name source at message strategy rank others othersCount", trait="value", words="sentence", refused="othersPage"
    ),
    "ObservedValue": _rules("source at message firstAt count", null="value"),
    "TraitShown": _rules("name", words="value"),
    "Interaction": INTERACTION,
    "IdentifyEvent": INTERACTION,
    "AliasEvent": INTERACTION | _rules(null="previousId"),
    "GroupEvent": INTERACTION | _rules("role account"),
    "TrackEvent": INTERACTION | _rules("order products deal ticket campaign"),
    "PageView": INTERACTION | _rules("title", null="url path referrer search"),
    "ScreenView": INTERACTION | _rules("screen"),
    "OrderEvent": INTERACTION | _rules("order products total currency lines"),
    "OrderLine": _rules("product name quantity price"),
    "Payment": INTERACTION | _rules("amount refunded method status order"),
    "TicketEvent": INTERACTION | _rules("ticket"),
    "Message": INTERACTION | _rules("medium direction", null="subject text"),
    "Meeting": INTERACTION | _rules("startsAt endsAt status", null="meetingName"),
    "FormSubmission": INTERACTION | _rules("form campaign answers"),
    "FormAnswer": _rules("question", null="answer"),
    "SensorReading": INTERACTION | _rules("metric value unit"),
    "Touchpoint": _rules("interaction channel source medium campaign term content", null="referrer"),
    "Warning": _rules("code place", words="sentence"),
    "Session": _rules("start end count names interactions touchpoints"),
    "Journey": LIST | _rules("touchpoints"),
    "Household": LIST | _rules(order="leftOut"),
    "Housemate": _rules("profile", order="shared"),
    "Account": _rules(
        "id namespace value name domain firstSeen lastSeen traits deals mergedFrom parent tree children members"
    ),
    "AccountTree": _rules("branches complete"),
    "AccountBranch": _rules("account level parentId"),
    "AccountName": _rules("namespace value"),
    "Thing": THING,
    "Deal": THING | _rules("name stage pipeline amount closesAt won closed account profile"),
    "Ticket": THING | _rules("number status pipeline priority origin closedAt account profile", null="subject"),
    "Campaign": THING | _rules("name"),
    "Product": THING | _rules("name sku brand category variant price url imageUrl"),
    "Order": THING
    | _rules("total subtotal tax shipping discount coupon status store placedAt products profile account"),
    "Money": _rules("amount currency"),
    "Member": _rules(f"{STATEMENT} history profile"),
    "Membership": _rules(f"{STATEMENT} history account"),
    "MembershipStatement": _rules(f"{STATEMENT} account"),
    "Organisation": _rules("name accounts members deals"),
    "AccountsDecided": _rules("organisations"),
    "Segment": _rules("id name definition usable createdAt changedAt key members"),
    "SegmentMember": _rules("entered profile"),
    "Consent": _rules("purpose granted at source message others", words="sentence"),
    "Audience": _rules("segment purpose size withoutConsent floor"),
    "Source": _rules("name keys namespaces loads heardAt loadedAt runs rejected complete"),
    "RejectedRecords": _rules("code count last"),
    "Run": _rules("id state file mapping format position read size rate times counts startedAt updatedAt"),
    "RunCounts": _rules("records skipped rejected messages committed repeats differing warned erased"),
    "SegmentDefinition": _rules("all any not trait interactions"),
    "TraitQuestion": _rules("name how", words="value"),
    "InteractionQuestion": _rules("type name atLeast atMost within"),
    "WindowShown": _rules("days between"),
    "Stretch": _rules("start end"),
    "SegmentPreview": _rules("count sample"),
    "Change": CHANGE,
    "MergeEvent": CHANGE | _rules("before after retired moved"),
    "DecisionEvent": CHANGE | _rules("acts"),
    "RuleEvent": CHANGE,
    "MovedIdentifier": _rules("left joined identifier"),
    "Evidence": _rules("message interaction"),
    "How": _rules("size linkCount profile", words="sentence", refused="steps"),
    "Step": _rules("number link joined size groups", words="sentence"),
    "Explanation": _rules(
        "same a b path refused refusedCount refusals remedies missing",
        words="sentence",
    ),
    "Link": _rules("a b kind authority source firstSeen message reason generic", words="sentence"),
    "Refusal": _rules(
        "reason count links shared sharedBy limit values decisions sizes remedies",
        words="sentence",
    ),
    "Remedy": _rules("kind about", words="sentence"),
    "Decision": _rules("a b by at decision", null="note"),
    "Relation": _rules("paths leftOut complete"),
    "RelationPath": _rules("hops things ties", words="sentence"),
    "RelatedThing": _rules("kind hops node", words="key label"),
    "Tie": _rules("kind", words="a b sentence"),
    "Neighbourhood": _rules("nodes edges leftOut complete"),
    "Suggestion": _rules(
        "id reason score identifiers needsOverride values profile other account",
        words="sentence",
    ),
    "Suggestions": LIST | _rules("leftOut"),
    "SuggestionDecision": _rules("outcome decision profile", words="sentence"),
    "Decided": _rules("decision before after refused accepted"),
    "DecidedPerson": _rules("id known shared identifiers traits interactions"),
    "PersonBefore": _rules("id identifiers"),
    "JudgedLink": _rules("a b kind reason"),
    "NamespaceLimit": _rules("namespace one other limit"),
    "Problem": PROBLEM,
    "NotFound": PROBLEM,
    "Forbidden": PROBLEM,
    "UniqueConflict": PROBLEM | _rules("values"),
    "RuleConflict": PROBLEM | _rules("reason values apart"),
    "TooLarge": PROBLEM | _rules("sizes limits"),
    "Invalid": PROBLEM | _rules("problems"),
    "InvalidPlace": PROBLEM | _rules("place"),
    "NothingToDo": PROBLEM,
    "IdempotencyConflict": PROBLEM,
    "TraitDecided": _rules("after profile"),
    "SegmentDefined": _rules("segment"),
    "SegmentRemoved": _rules("name"),
    "Unsuppressed": _rules("identifier"),
    "Erased": _rules(
        "ids profiles interactions observations acts scrubbed after pending policies identifiers",
    ),
    "WebhookEndpoint": _rules(
        "id url topics state reason createdAt failingSince formerSecretUntil waiting recovery deliveries"
    ),
    "WebhookDelivery": _rules("id topic at state tries status nextTryAt takenAt attempts body"),
    "WebhookAttempt": _rules("at status"),
    "WebhookRecovery": _rules("since askedAt many done"),
    "WebhookSecretGiven": _rules("endpoint secret"),
    "WebhookEndpointChanged": _rules("endpoint"),
    "WebhookEndpointRemoved": _rules("id"),
    "WebhookRedelivered": _rules("delivery endpoint"),
    "PageInfo": _rules("hasNextPage hasPreviousPage startCursor endCursor"),
}


def rule_of(kind: str, name: str) -> Rule | None:
    """The rule of a field of a type; None where nobody gave it one. Pages and their edges are alike."""
    if kind in FIELDS:
        return FIELDS[kind].get(name)
    return PAGE.get(name) if kind.endswith(("Connection", "Edge")) else None


def personal_fields(document: DocumentNode, schema: GraphQLSchema) -> frozenset[str]:
    """The fields of a valid document that are not just shown to everybody, as `Type.field`; once for each document."""
    found: set[tuple[str, str]] = set()
    info = TypeInfo(schema)

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = info.get_parent_type()
            if parent is not None and not node.name.value.startswith("__"):
                found.add((parent.name, node.name.value))

    visit(document, TypeInfoVisitor(info, Fields()))
    return frozenset(f"{kind}.{name}" for kind, name in found if rule_of(kind, name) is not Rule.OPEN)


def hidden_among(fields: Iterable[str]) -> list[str]:
    """Those of `personal_fields` that are answered with something else than their value, sorted."""
    shown = (Rule.ARGUMENTS, Rule.REFUSED, Rule.ORDER)
    return sorted(each for each in fields if rule_of(*each.split(".", 1)) not in shown)


def masked(kind: str, name: str, resolve: Resolve) -> Resolve:
    """The resolver for who has not `pii:read`; the one that was given where the field is open."""
    rule = rule_of(kind, name)
    if rule is Rule.OPEN:
        return resolve
    if rule is None or rule is Rule.REFUSED:
        return lambda *_, **__: _refuse(f"`{kind}.{name}` speaks of personal data")
    hide = HIDING[rule]
    return lambda source, info, **given: hide(resolve, source, info, given)


def _refuse(what: str) -> object:
    raise refused(Code.PII_SCOPE, f"{what}; that needs a key with `--pii`, or a token with `pii:read`")


Hiding = Callable[[Resolve, object, GraphQLResolveInfo[Asking], Mapping[str, object]], object]


def _shape(_resolve: Resolve, source: object, *_rest: object) -> str:
    """Of an identifier, or of the name of one."""
    if isinstance(source, StoredIdentifier):
        return shape_of(source.namespace, source.value)
    namespace, _, value = str(source).partition(":")
    return shape_of(namespace, value)


def shape_of(namespace: str, value: str) -> str:
    """What is left of an identifier's value: enough to tell what it is, too little to tell whose.

    `a…@…` of an email, the last two digits of a phone, the last two characters of another long value.
    """
    if namespace == "email":
        return f"{value[:1]}{HIDDEN}@{HIDDEN}"
    return HIDDEN + value[-2:] if len(value) >= LEAST_SHOWN else HIDDEN


def _open(
    resolve: Resolve, source: object, info: GraphQLResolveInfo[Asking], given: Mapping[str, object]
) -> object | None:
    is_open = isinstance(source, ExplainedTrait) and source.name in info.context.world.open_traits
    return resolve(source, info, **given) if is_open else None


def _ordered(resolve: Resolve, source: object, info: GraphQLResolveInfo[Asking], given: Mapping[str, object]) -> object:
    found = resolve(source, info, **given)
    return _sorted_later(found) if isawaitable(found) else _sorted(found)


def _sorted(found: object) -> object:
    """Identifiers by the ids that were handed out to them at random, and so tell nothing."""
    return sorted(cast("Sequence[object]", found), key=_mint)


async def _sorted_later(found: Awaitable[object]) -> object:
    return _sorted(await found)


def _mint(each: object) -> str:
    return each.mint if isinstance(each, StoredIdentifier) else ""


def _asked(resolve: Resolve, source: object, info: GraphQLResolveInfo[Asking], given: Mapping[str, object]) -> object:
    if given.get("search") is not None:
        _refuse("`search` finds people by parts of names and addresses")
    closed = sorted(set(_traits_in(given, info.context)) - info.context.world.open_traits)
    if closed:
        _refuse(f"the trait `{closed[0][:80]}` is personal, so nobody is found by it")
    return resolve(source, info, **given)


def _traits_in(given: object, context: Asking) -> Iterable[str]:
    """The traits that arguments compare with a value, as the policy spells them."""
    if isinstance(given, Mapping):
        if given.keys() >= {"name", "value"}:
            yield context.world.policy.trait_name(str(given["name"]))
        given = list(given.values())
    if isinstance(given, list):
        for each in given:
            yield from _traits_in(each, context)


HIDING: Mapping[Rule, Hiding] = {
    Rule.SHAPE: _shape,
    Rule.TRAIT: _open,
    Rule.NULL: lambda *_: None,
    Rule.WORDS: lambda *_: HIDDEN,
    Rule.ORDER: _ordered,
    Rule.ARGUMENTS: _asked,
}
