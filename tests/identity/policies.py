"""Random policies: presets with settings changed, limits so low that random histories reach them."""

from dataclasses import replace

from hypothesis import strategies as st

from identity.messages import Authority
from identity.policy import KindRules, Namespace, Normaliser, OverActive, Policy, Role, Shared
from tests.building import default_policy, preset

CRM = Namespace(name="crm", role=Role.CONTACT, priority=1, unique=True, max_partners=None)
some_authority = st.sampled_from([Authority.CLAIMED, Authority.CLAIMED, Authority.VERIFIED])
some_kind = st.builds(KindRules, links=st.sampled_from([True, True, True, False]), minimum_authority=some_authority)


def small_policy(name: str = "default") -> Policy:
    """A preset with limits so low that random histories reach them, and shared addresses told by time."""
    policy = preset(name).with_namespaces([CRM])
    email = replace(policy.namespaces["email"], max_partners=4, shared=Shared.BY_TIME)
    return replace(policy, namespaces={**policy.namespaces, "email": email}, profile_limit=5)


def with_rules(name: str, **rules: object) -> Policy:
    """The default policy with other rules for one namespace."""
    policy = default_policy()
    changed = replace(policy.namespaces[name], **rules)  # type: ignore[arg-type]  # names of fields
    return replace(policy, namespaces={**policy.namespaces, name: changed})


@st.composite
def _some_policy(draw: st.DrawFn) -> Policy:
    policy = small_policy(draw(st.sampled_from(["default", "default", "shop", "last_login_wins", "never_guess"])))
    namespaces = dict(policy.namespaces)
    for name in draw(st.sets(st.sampled_from(sorted(namespaces)), max_size=3)):
        namespaces[name] = draw(_changed(namespaces[name]))
    kinds = {word: draw(some_kind) for word in draw(st.sets(st.sampled_from(["import_key", "alias", "cooccur"])))}
    if "alias" in kinds:
        overrides = st.sampled_from([None, Authority.CLAIMED, Authority.VERIFIED])
        kinds["alias"] = replace(kinds["alias"], overrides_from=draw(overrides))
    return replace(
        policy, namespaces=namespaces, kinds={**policy.kinds, **kinds}, profile_limit=draw(st.integers(3, 6))
    )


@st.composite
def _changed(draw: st.DrawFn, rules: Namespace) -> Namespace:
    """Rules with some settings changed, in ways that do not contradict each other."""
    unique = rules.role is not Role.DEVICE and draw(st.booleans())
    apart = not unique and draw(st.booleans())
    return replace(
        rules,
        unique=unique,
        max_partners=draw(st.sampled_from([None, 3, 4])),
        generic_above=draw(st.sampled_from([None, 1, 2])),
        active=draw(st.integers(1, 2)) if apart else None,
        active_days=None,
        shared=draw(st.sampled_from(Shared)) if rules.role is Role.CONTACT_POINT else Shared.OWN,
        over_active=OverActive.APART if apart else OverActive.INACTIVE,
        normaliser=draw(st.sampled_from(FOLDED)) if rules.normaliser is Normaliser.EMAIL else rules.normaliser,
    )


FOLDED = [Normaliser.EMAIL, Normaliser.EMAIL_FOLDED, Normaliser.TEXT]
some_policy = _some_policy()
