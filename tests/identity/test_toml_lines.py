"""On which line each key of a TOML text stands."""

from identity.toml_lines import line_of, lines_of

TEXT = '''# [not.a.table]
a = 1
b = [   # a list
  "[x]",
  "c = 1",
]
t = """
[nor.here]
"""

[one]
two.three = { four = 5 }   # dotted, inline
[ "a b" . c ]
"d = e" = 'x'
[[rows]]
k = 1
'''


def test_every_key_and_table_has_the_line_on_which_it_begins() -> None:
    assert lines_of(TEXT) == {
        ("a",): 2,
        ("b",): 3,
        ("t",): 7,
        ("one",): 11,
        ("one", "two"): 12,
        ("one", "two", "three"): 12,
        ("one", "two", "three", "four"): 12,
        ("a b",): 13,
        ("a b", "c"): 13,
        ("a b", "c", "d = e"): 14,
        ("rows",): 15,
        ("rows", "k"): 16,
    }


def test_windows_line_ends_count_like_others() -> None:
    assert lines_of("a = 1\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 2, ("b", "c"): 3}


def test_a_key_that_is_not_there_stands_where_the_table_around_it_does() -> None:
    lines = lines_of(TEXT)
    assert line_of(lines, ("one", "nine", "ten")) == 11
    assert line_of(lines, ("zero",)) is None


def test_an_indented_table_is_a_table() -> None:
    assert lines_of("a = 1\n  [b]\n  c = 2\n\t[b.d]\n") == {("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "d"): 4}


def test_elements_of_lists_have_no_line_of_their_own() -> None:
    assert lines_of("rows = [{ k = 1 }, { l = 2 }]\n") == {("rows",): 1}
