"""Policies as texts: every problem at once with its line, presets extended, written out and read again."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.errors import PolicyInvalidError
from identity.messages import Authority
from identity.policy import DeviceRule, Policy, Role, Strategy, Trait
from identity.policy_checks import contradictions
from identity.policy_text import policy_from_toml
from identity.policy_writing import policy_text
from tests.building import default_policy, preset, presets
from tests.identity.policies import some_policy

SMALL = 'version = "1"\n[namespaces.user_id]\nrole = "Contact"\npriority = 0\nunique = true\n'
MINE = 'extends = "default"\nversion = "1"\n'


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalidError) as found:
        policy_from_toml(text, presets())
    assert str(found.value) == "\n".join(map(str, found.value.problems))
    return [str(each) for each in found.value.problems]


def is_whole(policy: Policy) -> bool:
    return not list(contradictions(policy))


def mine(more: str) -> Policy:
    return policy_from_toml(MINE + more, presets())


def test_all_problems_are_named_at_once_in_the_order_of_their_lines() -> None:
    text = (
        MINE
        + '[limits]\nvalue_bytes = "ten"\nvalue_byte = 3\n[devices]\nrule = "guess"\n[namespaces.Email]\nrole = 1\n'
    )
    assert problems(text) == [
        "line 4, `limits.value_bytes`: 'ten' cannot be used: expected int, got str",
        "line 5, `limits.value_byte`: there is no such setting; did you mean `value_bytes`?",
        "line 7, `devices.rule`: 'guess' is none of by_time, last_authenticated, first_only, never_guess",
        "line 8, `namespaces.Email.priority`: is missing",
        "line 9, `namespaces.Email.role`: 1 is none of Contact, Device, ContactPoint",
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("namespaces.email = 3\n", "`namespaces.email`: must be a table, [namespaces.email]"),
        ("traits = 3\n", "`traits`: must be a table, [traits]"),
        ("[accounts]\nroles = ['a', 3]\n", "`accounts.roles`: ['a', 3] cannot be used: expected str, got int"),
        ("[kinds.alias]\noverrides_from = 'all'\n", "'all' is none of never, claimed, verified, imported"),
        ("[devices]\nzzz = 1\n", "`devices.zzz`: there is no such setting; there are rule, idle_minutes, logout"),
        ("[traits.name]\nstrategie = 1\n", "there is no such setting; did you mean `strategy`?"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_a_sentence(more: str, problem: str) -> None:
    (only,) = problems(MINE + more)
    assert only.endswith(problem)


def test_contradictions_are_named_beside_what_is_misspelt() -> None:
    text = MINE + "[limits]\nprofiles = 3\nregion_identifiers = 10\n"
    assert [each.partition(":")[0] for each in problems(text)] == [
        "line 4, `limits.profiles`",
        "line 5, `limits.region_identifiers`",
    ]


@pytest.mark.parametrize(("text", "line"), [("version = = 1\n", 1), ("a = 1\n[limits\n", 2), ("a = 1\nb = [1,\n", 3)])
def test_what_is_no_toml_names_the_line(text: str, line: int) -> None:
    (only,) = problems(text)
    assert only.startswith(f"line {line}: this is no TOML: ")
    assert "(at" not in only


def test_what_is_no_toml_tells_what_the_reader_of_toml_says() -> None:
    assert problems("version = = 1\n") == ["line 1: this is no TOML: Invalid value"]
    assert problems("a = [1,\n") == ["line 2: this is no TOML: Invalid value"]


CONTRADICTIONS = [
    ("[namespaces.device_id]\nactive = 0\nunique = true\n", 5, "a person has several devices"),
    ("[namespaces.user_id]\nactive = 2\n", 4, "one value of a unique namespace"),
    ("[namespaces.email]\nactive = 0\nactive_days = 9\n", 5, "`active` does not say how many"),
    ("[namespaces.anonymous_id]\nover_active = 'apart'\n", 4, "leave out `active_days`"),
    ("[namespaces.email]\nactive = 0\nover_active = 'apart'\n", 5, "`active` is no limit"),
    ("[namespaces.email]\nactive = 2000\n", 4, "a profile has 1000 identifiers at most"),
    ("[namespaces.email]\ngeneric_above = 500\n", 4, "is never reached"),
    ("[namespaces.device_id]\nshared = 'by_time'\n", 4, "[devices] rule says it"),
    ("[namespaces.user_id]\nshared = 'by_time'\n", 4, "a contact names one person"),
    ("[namespaces.phone]\nshared = 'by_time'\ngeneric_above = 0\nmax_partners = 0\n", 4, "it is never shared"),
    ("[namespaces.user_id]\nunique = false\n[namespaces.email]\ngeneric_above = 2\n", 6, "no namespace is unique"),
    (
        "[namespaces.device_id]\npriority = 0\n[namespaces.crm]\nrole = 'Contact'\npriority = 1\n",
        4,
        "than the contact crm",
    ),
    ("[namespaces.email]\nrole = 'Contact'\n", 4, "email is a ContactPoint wherever"),
    ("[namespaces.'a b']\nrole = 'Contact'\npriority = 1\n", 3, "must match"),
    ("[namespaces.email]\nblocked_patterns = ['*@*']\n", 4, "blocks every email"),
    ("[blocked]\npatterns = ['*']\n", 4, "blocks everything"),
    ("[blocked]\npatterns = ['+*']\n", 4, "blocks every value of phone"),
    ("[traits.'first name']\n", 3, "must match"),
    ("[traits.town]\nspellings = ['city']\n", 4, "claimed by the trait `city`"),
    ("[traits.town]\nspellings = ['ort', 'ort']\n", 4, "`ort` is there twice"),
    ("[traits.town]\nspellings = ['ort']\n[traits.place]\nspellings = ['ort']\n", 6, "claimed by the trait `town`"),
    ("[kinds.alias]\nlinks = false\noverrides_from = 'claimed'\n", 5, "it overrides nothing"),
    ("[kinds.alias]\nminimum_authority = 'verified'\noverrides_from = 'claimed'\n", 5, "does not even link"),
    ("[kinds.alias]\noverrides_from = 'claimed'\n[namespaces.user_id]\nunique = false\n", 4, "user_id is not unique"),
    ("[kinds.cooccur]\nlinks = false\nminimum_authority = 'verified'\n", 5, "links nothing, whatever its authority"),
    (
        "[kinds]\nalias.links = false\ncooccur.links = false\nimport_key.links = false\n",
        3,
        "nobody would ever be joined",
    ),
    ("[kinds.manual]\nlinks = false\n", 3, "there are import_key, alias, cooccur"),
    ("[kinds.derived]\nlinks = false\n", 3, "there are import_key, alias, cooccur"),
    ("[limits]\nregion_identifiers = 100\n", 4, "more identifiers (1000) than are stitched at once"),
    ("[limits]\nprofile_identifiers = 0\n", 4, "0 cannot be used: expected int >= 1"),
    ("[accounts]\nroles = ['admin', 'viewer', 'admin']\n", 4, "`admin` is ranked twice"),
    ("[accounts]\nroles = ['']\n", 4, "an empty name"),
    ("limits = 3\n", 3, "must be a table, [limits]"),
]


@pytest.mark.parametrize(("more", "line", "words"), CONTRADICTIONS)
def test_a_contradiction_names_its_line_and_the_reason(more: str, line: int, words: str) -> None:
    (only,) = problems(MINE + more)
    assert only.startswith(f"line {line}, ")
    assert words in only


@pytest.mark.parametrize(
    ("ranked", "words"), [('["a", "b", "a"]', "`a` is ranked twice"), ('["manual"]', "outrank all others always")]
)
def test_a_contradictory_ranking_of_sources_is_named(ranked: str, words: str) -> None:
    (only,) = problems(f"{MINE}source_rank = {ranked}\n")
    assert only.startswith("line 3, `source_rank`: ")
    assert words in only


def test_a_limit_may_be_reached() -> None:
    assert mine("[namespaces.email]\nactive = 1000\n").namespaces["email"].active == 1_000
    assert mine("[limits]\nregion_identifiers = 1000\n").region_limit == 1_000


def test_an_empty_name_in_a_list_is_named_where_it_stands() -> None:
    assert problems(MINE + 'source_rank = [""]\n[accounts]\nroles = ["", "a"]\n') == [
        "line 3, `source_rank`: holds an empty name",
        "line 5, `accounts.roles`: holds an empty name",
    ]


def test_what_only_the_preset_says_is_named_where_it_is_extended() -> None:
    text = '# mine\nextends = "default"\nversion = "1"\n[limits]\nprofile_identifiers = 4\n'
    found = problems(text)
    assert {each.partition(",")[0] for each in found} == {"line 2"}
    assert any("`namespaces.email.active`: is never reached" in each for each in found)


def test_extending_what_is_no_preset_names_the_presets() -> None:
    (only,) = problems('extends = "mall"\n')
    assert only.startswith("line 1, `extends`: there is no preset 'mall' to extend")
    assert only.endswith("the presets are default, last_login_wins, never_guess, shop")
    with pytest.raises(PolicyInvalidError, match="the presets are not known here"):
        policy_from_toml('extends = "mall"\n')


def test_a_preset_may_extend_another() -> None:
    texts = {**presets(), "mall": 'extends = "shop"\nversion = "mall-1"\n'}
    policy = policy_from_toml('extends = "mall"\nversion = "1"\n', texts)
    assert policy.namespaces == preset("shop").namespaces
    with pytest.raises(PolicyInvalidError, match=r"`extends`: there is no preset 'plaza' to extend"):
        policy_from_toml('extends = "mall"\n', {"mall": 'extends = "plaza"\n'})


def test_a_missing_setting_names_the_way_to_leave_things_out() -> None:
    (only,) = problems(SMALL + '[namespaces.email]\nunique = true\nrole = "ContactPoint"\n')
    hint = 'is missing; begin with extends = "default" to keep all that the default says'
    assert only == f"line 6, `namespaces.email.priority`: {hint}"
    (missing, wrong) = problems('[namespaces.user_id]\nrole = "Contact"\npriority = -1\n')
    assert missing == f"`version`: {hint}"
    assert wrong == "line 3, `namespaces.user_id.priority`: -1 cannot be used: expected int >= 0"


def test_a_policy_that_extends_another_differs_in_what_it_says_alone() -> None:
    policy = mine("[namespaces.email]\nactive = 3\n")
    email = replace(default_policy().namespaces["email"], active=3)
    assert replace(policy, version="default-1") == replace(
        default_policy(), namespaces={**default_policy().namespaces, "email": email}
    )


def test_lists_are_replaced_and_not_joined() -> None:
    assert mine("[blocked]\npatterns = []\nvalues = ['x']\n").blocked_values == {"x"}


def test_the_default_preset_says_what_a_policy_has_anyway() -> None:
    namespaces = "\n".join(
        f'[namespaces.{name}]\nrole = "{each.role}"\npriority = {each.priority}'
        for name, each in default_policy().namespaces.items()
    )
    bare = policy_from_toml(f'version = "1"\n{namespaces}\n')
    named = ("kinds", "external", "profile_limit", "device_rule", "account_roles", "replay_stays_out", "source_rank")
    assert [getattr(bare, name) for name in named] == [getattr(default_policy(), name) for name in named]


def test_every_setting_is_written_in_the_default_preset() -> None:
    text = presets()["default"]
    wanted = {line.partition(" = ")[0].strip("[]") for line in policy_text(default_policy()).splitlines() if line}
    assert not [name for name in wanted if name not in text]


def test_each_kind_of_statement_has_its_rules() -> None:
    policy = mine('[kinds.alias]\noverrides_from = "verified"\n[kinds.cooccur]\nminimum_authority = "imported"\n')
    assert policy.kind("alias").overrides_from is Authority.VERIFIED
    assert policy.kind("cooccur").minimum_authority is Authority.IMPORTED
    assert policy.kind("manual").links


def test_undeclared_namespaces_follow_the_rules_for_external_ids() -> None:
    rules = mine("[external_ids]\npriority = 9\nmax_partners = 3\n").namespace("cart")
    assert (rules.name, rules.role, rules.priority, rules.max_partners) == ("cart", Role.CONTACT, 9, 3)


@pytest.mark.parametrize("name", ["default", "shop", "last_login_wins", "never_guess"])
def test_a_preset_has_its_name_in_its_version(name: str) -> None:
    assert preset(name).version == f"{name}-1"
    assert policy_from_toml(preset(name).text) == preset(name)


def test_the_text_of_a_policy_that_extends_needs_no_preset_and_keeps_what_was_written() -> None:
    text = MINE + "# ours\n[namespaces.email]\nactive = 3\n"
    kept = policy_from_toml(text, presets()).text
    assert policy_from_toml(kept).text == kept
    assert policy_from_toml(kept) == policy_from_toml(text, presets())
    assert "\n# # ours\n# [namespaces.email]\n# active = 3\n" in kept


def test_a_whole_text_is_kept_as_it_was_written() -> None:
    assert default_policy().text == presets()["default"]


odd_texts = st.sampled_from(["a", "größe", 'say "x"', "tab\t", "del\x7f", "\\n", "a.b", "字"])


@st.composite
def with_other_settings(draw: st.DrawFn, policy: Policy) -> Policy:
    """A policy with all that stands in no namespace and no kind set anew."""
    external = replace(
        policy.external,
        priority=draw(st.integers(0, 99)),
        max_partners=draw(st.sampled_from([None, 7])),
        generic_above=draw(st.sampled_from([None, 3])),
        active=draw(st.sampled_from([None, 4])),
    )
    return replace(
        policy,
        version=draw(odd_texts),
        external=external,
        source_rank=tuple(draw(st.lists(odd_texts, max_size=2, unique=True))),
        profile_limit=draw(st.integers(1_000, 2_000)),
        region_limit=draw(st.integers(2_000, 3_000)),
        links_per_message=draw(st.integers(2, 20)),
        max_value_bytes=draw(st.integers(16, 600)),
        session_idle_minutes=draw(st.integers(1, 99)),
        device_rule=draw(st.sampled_from(DeviceRule)),
        device_idle_minutes=draw(st.integers(1, 99)),
        logout_names=frozenset(draw(st.lists(odd_texts, max_size=2))),
        account_roles=tuple(draw(st.lists(odd_texts, max_size=2, unique=True))),
        replay_stays_out=draw(st.booleans()),
        blocked_values=frozenset(each.casefold() for each in draw(st.lists(odd_texts, max_size=2))),
        blocked_patterns=tuple(draw(st.lists(odd_texts, max_size=2, unique=True))),
        traits={name: Trait(name=name, strategy=draw(st.sampled_from(Strategy))) for name in draw(st.sets(odd_texts))},
    )


@given(some_policy.flatmap(with_other_settings).filter(is_whole))
def test_a_policy_written_out_is_the_same_when_read_again(policy: Policy) -> None:
    text = policy_text(policy)
    again = policy_from_toml(text)
    assert again == policy
    assert again.text == text
    assert again.hash == policy.hash


@given(some_policy, some_policy)
def test_policies_that_differ_have_different_hashes(one: Policy, other: Policy) -> None:
    assert (one == other) == (one.hash == other.hash)


def test_the_hash_does_not_change_with_the_writing() -> None:
    one = policy_from_toml(SMALL + "[limits]\nvalue_bytes = 99\n[devices]\nlogout = ['b', 'a']\n")
    other = policy_from_toml("# mine\n" + SMALL + "[devices]\nlogout = ['a', 'b']\n[limits]\nvalue_bytes = 99\n")
    assert one.hash == other.hash
    assert len(one.hash) == 64


@given(st.text(max_size=40))
def test_any_text_is_a_policy_or_has_problems(text: str) -> None:
    with contextlib.suppress(PolicyInvalidError):
        policy_from_toml(SMALL + text, presets())
