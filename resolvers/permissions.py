"""Who may ask and change what: the rights of each scope, and the right that each field needs. One table each."""

from collections.abc import Iterable, Mapping
from enum import Enum

from graph.keys import Scope
from resolvers.errors import Code, refused
from resolvers.rows import check_roots
from resolvers.viewer import Viewer


class Right(Enum):
    """What somebody may do at /graphql."""

    ASK = "ask"
    DEFINE = "define segments"
    DECIDE = "decide who is who"
    WATCH = "see how sources are taken in"
    OVERRIDE = "let one value of a unique namespace replace another"
    ERASE = "erase"
    TELL = "say who is told by webhooks"


RIGHTS: Mapping[Scope, frozenset[Right]] = {
    Scope.WRITE: frozenset(),  # the keys in web pages and apps, so everybody's
    Scope.READ: frozenset({Right.ASK}),
    Scope.STEWARD: frozenset({Right.ASK, Right.DEFINE, Right.DECIDE, Right.WATCH}),
    Scope.ADMIN: frozenset(Right),
}

# The right that each mutation needs; a test fails when one is missing. Queries need `ask` where nothing else is said.
NEEDED: Mapping[str, Right] = {
    "defineSegment": Right.DEFINE,
    "removeSegment": Right.DEFINE,
    "mergeProfiles": Right.DECIDE,
    "unmerge": Right.DECIDE,
    "unmergePreview": Right.DECIDE,
    "undoDecision": Right.DECIDE,
    "setTrait": Right.DECIDE,
    "clearTrait": Right.DECIDE,
    "mergeAccounts": Right.DECIDE,
    "unmergeAccounts": Right.DECIDE,
    "erase": Right.ERASE,
    "unsuppress": Right.ERASE,
    "acceptSuggestion": Right.DECIDE,
    "dismissSuggestion": Right.DECIDE,
    "reopenSuggestion": Right.DECIDE,
    "createWebhookEndpoint": Right.TELL,
    "changeWebhookEndpoint": Right.TELL,
    "rotateWebhookSecret": Right.TELL,
    "removeWebhookEndpoint": Right.TELL,
    "redeliverWebhook": Right.TELL,
    "recoverWebhooks": Right.TELL,
    "webhookEndpoints": Right.TELL,
    "webhookEndpoint": Right.TELL,
    "sources": Right.WATCH,
    "source": Right.WATCH,
}


def may(viewer: Viewer, right: Right) -> bool:
    """Whether the viewer has a right."""
    return right in RIGHTS[viewer.scope]


def check_override(viewer: Viewer) -> None:
    """Raises GraphQLError `key_scope` when the viewer may not let one value of a unique namespace replace another."""
    if not may(viewer, Right.OVERRIDE):
        raise refused(Code.KEY_SCOPE, f"this key has scope `{viewer.scope}`; `override` needs scope `admin`")


def check_access(fields: Iterable[str], viewer: Viewer) -> None:
    """Raises GraphQLError `key_scope` when the viewer may not have all of these root fields."""
    for field in fields:
        needed = NEEDED.get(field, Right.ASK)
        if not may(viewer, needed):
            scopes = " or ".join(f"`{scope}`" for scope in Scope if needed in RIGHTS[scope])
            sentence = f"this key has scope `{viewer.scope}`; to {needed.value} needs one of scope {scopes}"
            raise refused(Code.KEY_SCOPE, sentence)
        if viewer.accounts:
            check_roots(field)
