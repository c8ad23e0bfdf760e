"""The GraphQL schema, put together: every root field with its resolver."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from resolvers.account_decisions import AccountAnswer, merge_accounts, unmerge_accounts
from resolvers.accounts import Account, account
from resolvers.audiences import Audience, audience
from resolvers.changes import Change, DecisionEvent, MergeEvent, RuleEvent, changes
from resolvers.decisions import DecisionAnswer, merge_profiles, undo_decision, unmerge, unmerge_preview
from resolvers.erasure import EraseAnswer, UnsuppressAnswer, erase, unsuppress
from resolvers.explanations import Explanation, How, how, why_not, why_same
from resolvers.fetching import node, nodes
from resolvers.finding import identifier, profile
from resolvers.identifiers import Contact, ContactPoint, Device, Identifier, device
from resolvers.interaction_kinds import KINDS
from resolvers.listing import accounts, profiles
from resolvers.manual_traits import TraitAnswer, clear_trait, set_trait
from resolvers.nodes import Node, resolved, shown
from resolvers.paging import Connection
from resolvers.profiles import Profile
from resolvers.relations import Neighbourhood, Relation, connection, neighbourhood
from resolvers.scalars import SCALARS
from resolvers.segment_decisions import RemovalAnswer, SegmentAnswer, define_segment, remove_segment
from resolvers.segments import Segment, SegmentPreview, segment_preview, segments
from resolvers.sources import Source, source, sources
from resolvers.subscriptions import Subscription
from resolvers.suggestions import (
    SuggestionAnswer,
    Suggestions,
    accept_suggestion,
    dismiss_suggestion,
    reopen_suggestion,
    suggestions,
)
from resolvers.things import Campaign, Deal, Order, Product, Ticket, campaign, deal, order, product, ticket
from resolvers.webhook_decisions import (
    WebhookDeliveryAnswer,
    WebhookEndpointAnswer,
    WebhookRemovalAnswer,
    WebhookSecretAnswer,
    change_webhook_endpoint,
    create_webhook_endpoint,
    recover_webhooks,
    redeliver_webhook,
    remove_webhook_endpoint,
    rotate_webhook_secret,
)
from resolvers.webhooks import WebhookEndpoint, webhook_endpoint, webhook_endpoints


@strawberry.type(description="What can be asked, with a key of scope `read`.")
class Query:
    """What can be asked."""

    profile: Profile | None = resolved(
        profile, "The profile of an identifier, or of an id it has or once had; null if unknown."
    )
    profiles: Connection[Profile] | None = resolved(
        profiles, "Profiles in a stable order, or with `search` the best hits first."
    )
    accounts: Connection[Account] = resolved(
        accounts, "Organisations in a stable order, or with `search` the best hits first; merged ones are one."
    )
    account: Account | None = resolved(account, "An organisation; null if unknown.")
    device: Device | None = resolved(device, "The device with an anonymous id; null if unknown.")
    identifier: Identifier | None = resolved(
        identifier, "A contact, a device or a contact point, of a person or shared; null if unknown."
    )
    order: Order | None = resolved(order, "An order; null if unknown.")
    product: Product | None = resolved(product, "A product; null if unknown.")
    deal: Deal | None = resolved(deal, "A deal; null if unknown.")
    ticket: Ticket | None = resolved(ticket, "A ticket; null if unknown.")
    campaign: Campaign | None = resolved(campaign, "A campaign; null if unknown.")
    node: Node | None = resolved(node, "Anything by its global id; null if it is no more.")
    nodes: list[Node | None] = resolved(nodes, "Several things by their global ids, in their order.")
    how: How | None = resolved(how, "How a profile came to be, link by link; null if unknown.")
    why_same: Explanation | None = resolved(why_same, "Why two identifiers are one person, or why they are not.")
    why_not: Explanation | None = resolved(
        why_not, "Why two identifiers are not one person and what would have to change, or why they are one."
    )
    connection: Relation | None = resolved(
        connection, "How two people are related, way by way with the reason for each hop; null if one is unknown."
    )
    neighbourhood: Neighbourhood | None = resolved(
        neighbourhood,
        "What lies around a person, an account, an identifier or a thing, for drawing; null if it is unknown.",
    )
    changes: Connection[Change] = resolved(changes, "Every change to who is who, newest first.")
    segments: list[Segment] = resolved(segments, "The segments kept by name, by their names.")
    segment_preview: SegmentPreview | None = resolved(
        segment_preview, "Of how many people a question is true now; shared profiles never count."
    )
    sources: list[Source] = resolved(
        sources, "Every source with its loads and dead letters, by name. Scope `steward` or `admin`."
    )
    source: Source | None = resolved(source, "The source of a name; null if unknown. Scope `steward` or `admin`.")
    audience: Audience | None = resolved(
        audience, "How many people of a kept segment agreed to a purpose; null where no segment has the name."
    )
    unmerge_preview: DecisionAnswer = resolved(
        unmerge_preview, "What an unmerge would give; nothing is written. Scope `steward` or `admin`."
    )
    suggestions: Suggestions | None = resolved(
        suggestions, "Who may be one person, or belong to an account, the strongest first; nothing of it is done yet."
    )
    webhook_endpoints: Connection[WebhookEndpoint] | None = resolved(
        webhook_endpoints, "Who is told by webhooks, the oldest first. Scope `admin`."
    )
    webhook_endpoint: WebhookEndpoint | None = resolved(
        webhook_endpoint, "Who is told by webhooks, by id; null where nobody has it. Scope `admin`."
    )


@strawberry.type(description="What can be changed, by POST, with a key of the right scope.")
class Mutation:
    """What can be changed."""

    define_segment: SegmentAnswer | None = resolved(
        define_segment, "Keep a question under a name, instead of the one it had. Twice is once."
    )
    remove_segment: RemovalAnswer | None = resolved(
        remove_segment, "Keep the question of a name no longer. Twice is once."
    )
    set_trait: TraitAnswer | None = resolved(
        set_trait, "Set a trait of a person by hand; it comes before what any source says. An id or an identifier."
    )
    clear_trait: TraitAnswer | None = resolved(
        clear_trait, "Take back what was set by hand for a trait. Twice is once."
    )
    merge_accounts: AccountAnswer | None = resolved(
        merge_accounts, "Say that two accounts are one organisation. What hangs on them stays, and is read as one."
    )
    unmerge_accounts: AccountAnswer | None = resolved(
        unmerge_accounts, "Say that two accounts that were merged are different ones; each has its own again."
    )
    accept_suggestion: SuggestionAnswer | None = resolved(
        accept_suggestion, "Accept a suggestion by hand. Scope `steward` or `admin`."
    )
    dismiss_suggestion: SuggestionAnswer | None = resolved(
        dismiss_suggestion, "Say that a suggestion does not hold. Scope `steward` or `admin`."
    )
    reopen_suggestion: SuggestionAnswer | None = resolved(
        reopen_suggestion,
        "Take back what was decided by hand of a person and an account; twice is once. Scope `steward` or `admin`.",
    )
    merge_profiles: DecisionAnswer | None = resolved(
        merge_profiles, "Make two people one by hand; refused where a rule forbids it. Scope `steward` or `admin`."
    )
    unmerge: DecisionAnswer | None = resolved(
        unmerge, "Take people apart who were merged by mistake, for good. Scope `steward` or `admin`."
    )
    undo_decision: DecisionAnswer | None = resolved(
        undo_decision, "Take a merge, an unmerge or an undo back. Scope `steward` or `admin`."
    )
    erase: EraseAnswer | None = resolved(
        erase, "Erase a person or an identifier: nothing of the values stays readable. Twice is once. Scope `admin`."
    )
    unsuppress: UnsuppressAnswer | None = resolved(
        unsuppress, "Let a suppressed identifier begin afresh. Scope `admin`."
    )
    create_webhook_endpoint: WebhookSecretAnswer | None = resolved(
        create_webhook_endpoint, "Tell somebody by webhooks what happens from now on. Scope `admin`."
    )
    change_webhook_endpoint: WebhookEndpointAnswer | None = resolved(
        change_webhook_endpoint,
        "Tell an endpoint elsewhere or of something else, hold it, or go on; what it is owed is kept. Scope `admin`.",
    )
    rotate_webhook_secret: WebhookSecretAnswer | None = resolved(
        rotate_webhook_secret, "Give an endpoint another secret; the former one signs beside it a while. Scope `admin`."
    )
    remove_webhook_endpoint: WebhookRemovalAnswer | None = resolved(
        remove_webhook_endpoint, "Tell an endpoint nothing more, and forget what it is owed. Scope `admin`."
    )
    redeliver_webhook: WebhookDeliveryAnswer | None = resolved(
        redeliver_webhook, "Send something once more to the endpoint that was owed it, under its id. Scope `admin`."
    )
    recover_webhooks: WebhookEndpointAnswer | None = resolved(
        recover_webhooks,
        "Send an endpoint at once all that it did not take since a moment, also what is not sent any more. "
        "Scope `admin`.",
    )


def made() -> strawberry.Schema:
    """The schema anew: its types can be given other resolvers, and nobody else's change with them."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Contact, ContactPoint, *KINDS, MergeEvent, DecisionEvent, RuleEvent],
        config=StrawberryConfig(scalar_map=SCALARS, default_resolver=shown),
    )


schema = made()


def sdl() -> str:
    """The schema in the schema definition language."""
    return schema.as_str()
