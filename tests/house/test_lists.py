"""A list of the schema is a page, or something bounds it: a new plain list without a bound is noticed here."""

from collections.abc import Iterator

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_nullable_type, is_list_type

from resolvers.answering.fields import EXECUTABLE

PROFILE = "a profile has as many identifiers as the policy lets it have, 1,000 by default"
REGION = "what one decision looks at is a region, of 5,000 identifiers by default, or it is refused"
MESSAGE = "one message has 32 kB at most"
TWO = "there are one or two of them, or one for each unique namespace of the policy"
POLICY = "the policy names them"
SAID = "what was said of one person or account: it grows with what sources call things, not with what happens"
BY_HAND = "each was decided by hand"

BOUNDED = {
    PROFILE: "Profile.devices Profile.contacts Profile.contactPoints "
    "DecidedPerson.identifiers PersonBefore.identifiers "
    "Erased.ids Erased.identifiers Explanation.path",
    REGION: "Decided.accepted Decided.refused Decided.before Decided.after Change.about MergeEvent.before "
    "MergeEvent.after MergeEvent.retired Erased.profiles",
    MESSAGE: "Interaction.identifiers Interaction.warnings FormSubmission.answers OrderEvent.lines OrderEvent.products "
    "TrackEvent.products",
    TWO: "RuleConflict.apart RuleConflict.values UniqueConflict.values TooLarge.sizes Explanation.missing Link.generic "
    "Refusal.sizes Refusal.values Suggestion.identifiers Suggestion.values Explanation.remedies Refusal.remedies "
    "Remedy.about",
    POLICY: "TooLarge.limits DecidedPerson.traits DecisionEvent.acts Source.namespaces",
    SAID: "Profile.traits Profile.consents Account.traits",
    BY_HAND: "Account.mergedFrom Organisation.accounts AccountsDecided.organisations Erased.policies",
    "500": "AccountTree.branches Neighbourhood.nodes",
    "200 ties of each of at most 500 nodes": "Neighbourhood.edges Neighbourhood.leftOut Relation.leftOut",
    "100": "Member.history Membership.history Session.names Erased.after MergeEvent.moved Order.products Query.nodes "
    "Query.segments Profile.segments WebhookDelivery.attempts Housemate.shared Household.leftOut Suggestions.leftOut",
    "50 interactions of each session of a page": "Session.touchpoints Journey.touchpoints",
    "20": "Explanation.refusals Explanation.refused Refusal.decisions Refusal.links Relation.paths",
    "10": "Change.evidence",
    "there are nine topics": "WebhookEndpoint.topics",
    "as many as were asked for": "SegmentPreview.sample",
    "6 hops": "RelationPath.things RelationPath.ties",
    "the changes of one transaction": "ProfileChange.changes",
    "a definition has 100 conditions at most": "Invalid.problems SegmentDefinition.all SegmentDefinition.any",
    "the sources somebody set up, and the codes of errors": "Query.sources Source.rejected",
}


def plain_lists() -> Iterator[str]:
    """The lists that are no pages; what an interface has its types need not say again."""
    for kind in EXECUTABLE.type_map.values():
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) or kind.name.startswith("__"):
            continue
        inherited = {name for each in kind.interfaces for name in each.fields}
        for name, field in kind.fields.items():
            is_page = "first" in field.args or (name == "edges" and "pageInfo" in kind.fields)
            if is_list_type(get_nullable_type(field.type)) and not is_page and name not in inherited:
                yield f"{kind.name}.{name}"


def test_every_list_is_a_page_or_has_a_bound() -> None:
    told = [name for names in BOUNDED.values() for name in names.split()]
    assert sorted(told) == sorted(plain_lists())
