"""YAML files as values with lines, and what of them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockserver.core.errors import Unusable
from mockserver.core.scalars import dump
from mockserver.core.yaml_lines import parse_document, read_document

PATH = Path("some.yaml")
words = st.text("abc 1-:#\n\u00e9", max_size=6) | st.from_regex(r"[-+]?[0-9_.:eox]{0,6}|[yYnNoOfFtTrRuUeEsS~<=]{0,5}")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcy1", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_written_is_read_as_the_same_here_and_by_a_reader_of_yaml_1_1(value: object) -> None:
    text = dump(value)
    assert parse_document(text, PATH).value == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in "yes Yes no on OFF y N 1:30 190:20:30 1_000 0b11 2026-01-15 1e 0o18 = <".split()),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("null", "Null", "NULL", "~", "")),
        ("0", 0),
        ("-17", -17),
        ("+17", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("9" * 30, 10**30 - 1),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("12.50", 12.5),
        ('"0100"', "0100"),
        ("'yes'", "yes"),
        ("!!str 0100", "0100"),
        ("! 5", "5"),
        ("!!float 5", 5.0),
        ("!!int 5", 5),
        ("2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"),
    ],
)  # fmt: skip
def test_a_word_means_what_the_core_schema_of_yaml_1_2_says(text: str, value: object) -> None:
    for document, read in ((f"a: {text}\n", {"a": value}), (f"a: [b, {text}]\n" if text else "a: [b]", None)):
        found = parse_document(document, PATH).value
        assert repr(found) == repr(read if read is not None else {"a": ["b", value] if text else ["b"]})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0100", '0100 begins with a 0, which some read as octal: write 100, or "0100" in quotes if it is a text'),
        ("010", "010 begins with a 0, which some read as octal: write 10, or"),
        ("-007", "-007 begins with a 0, which some read as octal: write -7, or"),
        ("00", "00 begins with a 0, which some read as octal: write 0, or"),
        ("08.50", "08.50 begins with a 0, which some read as octal: write 8.50, or"),
        (".inf", ".inf is no number that can be used here"),
        ("-.INF", "-.INF is no number that can be used here"),
        (".NaN", ".NaN is no number that can be used here"),
        ("12345678901234567.89", "12345678901234567.89 has more digits than a number keeps"),
        ("1e400", "1e400 has more digits than a number keeps"),
        ("1e-400", "1e-400 has more digits than a number keeps"),
        ("9" * 500, "9" * 57 + "... is longer than any number here"),
        ("!!int x", "x is not what its tag !!int says"),
        ("!!int 1_0", "1_0 is not what its tag !!int says"),
        ("!!bool yes", "yes is not what its tag !!bool says"),
        ("!!binary aGk=", "aGk= is not what its tag !!binary says"),
        ("!!timestamp 2026-01-15", "2026-01-15 is not what its tag !!timestamp says"),
        ("!mine x", "x is not what its tag !mine says"),
    ],
)
def test_what_others_read_otherwise_is_refused_with_the_text_as_it_stands(text: str, told: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse_document(f"\na:\n  - {text}\n", PATH)
    assert [problem[: len(told) + 18] for problem in caught.value.problems] == [f"some.yaml:3: a.0: {told}"]
    with pytest.raises(Unusable) as caught:
        parse_document(f"{{a: 1,\n {text}: 1}}\n", PATH)
    assert caught.value.problems[0].startswith(f"some.yaml:2: {told}")


def test_a_merge_is_refused_in_our_words_and_a_text_of_the_same_signs_is_a_key() -> None:
    with pytest.raises(Unusable) as caught:
        parse_document("a: &a {b: 1}\nc:\n  <<: *a\n", PATH)
    assert caught.value.problems == ["some.yaml:3: c: << merges nothing here: write the keys themselves"]
    assert parse_document('"<<": 1\n', PATH).value == {"<<": 1}


def bomb(levels: int) -> str:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(rows)


@pytest.mark.parametrize("text", [bomb(9), "a: &a " + "x" * 400_000 + "\nb: [*a, *a, *a]\n"], ids=["many", "long"])
def test_aliases_that_stand_for_too_much_are_refused_in_our_words(text: str) -> None:
    with pytest.raises(
        Unusable, match=r"some\.yaml:\d+: not valid YAML: its aliases stand for more than 20,000 values"
    ):
        parse_document(text, PATH)


def test_aliases_that_stand_for_little_are_read_however_large_the_rest_is() -> None:
    rows = "\n".join(f"- [{number}, *a]" for number in range(9_000))
    value = parse_document(f"- &a [x]\n{rows}\n", PATH).value
    assert len(value) == 9_001
    assert value[-1] == [8_999, ["x"]]


def test_a_number_is_shown_as_it_was_written() -> None:
    document = parse_document("a: [1.50, 0x1F, {b: True, 7: 1e3}]\nc: x\nd: ~\n", PATH)
    assert document.shown("a", 0) == "1.50"
    assert document.shown("a", 1) == "0x1F"
    assert document.shown("a", 2, "b") == "True"
    assert document.shown("a", 2, 7) == "1e3"
    assert document.shown("c") == '"x"'
    assert document.shown("d") == "null"


def test_only_the_first_of_very_many_mistakes_are_told() -> None:
    with pytest.raises(Unusable) as caught:
        parse_document("- 01\n" * 100_000, PATH)
    assert len(caught.value.problems) == 51
    assert caught.value.problems[-1] == "some.yaml: only the first 50 mistakes are told"


@pytest.mark.parametrize("text", ["{k}: 1\n{k}: 1\n", "a: *{k}\n", "a: !{k} x\n", "a: !{k} [x]\n", "? [{k}]\n: 1\n"])
def test_a_long_word_is_cut_in_every_message(text: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse_document(text.replace("{k}", "k" * 900), PATH)
    assert max(map(len, caught.value.problems)) < 300


def test_a_part_is_told_by_the_line_of_its_key() -> None:
    document = parse_document("a:\n  b: 1\n  c:\n    - x\n    - {d: 1,\n       e: 2}\n\nf: 1\n", PATH)
    told = {keys: document.where(*keys) for keys in [("a",), ("a", "b"), ("a", "c"), ("f",)]}
    assert told == {("a",): "some.yaml:1", ("a", "b"): "some.yaml:2", ("a", "c"): "some.yaml:3", ("f",): "some.yaml:8"}
    assert document.where("a", "c", 0) == "some.yaml:4"
    assert document.where("a", "c", 1) == "some.yaml:5"
    assert document.where("a", "c", 1, "d") == "some.yaml:5"
    assert document.where("a", "c", 1, "e") == "some.yaml:6"


def test_what_a_file_does_not_have_is_told_by_the_part_that_lacks_it() -> None:
    document = parse_document("\na:\n  b: 1\n", PATH)
    assert document.where("a", "c", "d") == "some.yaml:2"
    assert document.where("z") == "some.yaml:2"
    assert parse_document("", PATH).where("z") == "some.yaml"


def test_a_time_stays_the_text_that_was_written() -> None:
    text = "a: 2026-01-15\nb: 2026-01-15T10:00:00Z\nc: 2026-13-45\n"
    assert parse_document(text, PATH).value == {"a": "2026-01-15", "b": "2026-01-15T10:00:00Z", "c": "2026-13-45"}


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    with pytest.raises(Unusable) as caught:
        parse_document("a:\n  b: 1\n  c: 2\n  b: 3\nd: 1\nd: 2\n", PATH)
    assert caught.value.problems == [
        'some.yaml:4: a: the key "b" is given twice',
        'some.yaml:6: the key "d" is given twice',
    ]


def test_a_key_that_is_no_word_is_refused_with_its_line() -> None:
    with pytest.raises(Unusable, match=r"some\.yaml:2: a key must be a word or a number, got 1\.5"):
        parse_document("a: 1\n1.5: 2\n", PATH)
    with pytest.raises(Unusable, match=r"some\.yaml:1: a key must be a word or a number, got true"):
        parse_document("true: 2\n", PATH)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\nb: 3\n", "some.yaml:2: not valid YAML"),
        ("a: 1\n b: 2\n", "some.yaml:2: not valid YAML"),
        ("a: *nobody\n", "some.yaml:1: not valid YAML"),
        ("a:\n\t- 1\n", "some.yaml:2: not valid YAML: a tab can't indent: use spaces"),
        ("a: !!python/object:os.system {}\n", "some.yaml"),
        ("a: \x00\n", "some.yaml"),
        ("--- 1\n--- 2\n", "some.yaml:2: not valid YAML"),
        ("a:\n  " + "[" * 100_000, "some.yaml:2: not valid YAML: nested deeper than 50 levels"),
        ("- " * 100_000, "some.yaml:1: not valid YAML: nested deeper than 50 levels"),
        ("a: &a [*a]\n", "some.yaml:1: not valid YAML: no anchor &a"),
        ("a: !!int x\n", "some.yaml"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, place: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse_document(text, PATH)
    assert caught.value.problems[0].startswith(place)


@pytest.mark.parametrize("depth", [51, 300, 1_000, 1_025, 100_000])
@pytest.mark.parametrize("opening", ["[", "[ ", "{", "{a: ", "{? ", "[{a: ", "- ", "? ", "[x, "])
def test_a_text_nested_too_deeply_is_refused_in_our_words(opening: str, depth: int) -> None:
    """The library has a limit of its own, which strikes first where it has to read ahead."""
    with pytest.raises(Unusable) as caught:
        parse_document("a:\n  " + opening * depth, PATH)
    assert caught.value.problems == ["some.yaml:2: not valid YAML: nested deeper than 50 levels"]


def test_brackets_in_a_text_are_no_nesting() -> None:
    brackets = "[" * 60
    with pytest.raises(Unusable) as caught:
        parse_document(f'a: "{brackets}"\nb: [1\nc: 2\n', PATH)
    assert "nested" not in caught.value.problems[0]


def test_a_part_may_be_repeated_by_its_anchor() -> None:
    text = "a: &a [1, &b x]\nb: *a\nc: *b\n"
    assert parse_document(text, PATH).value == {"a": [1, "x"], "b": [1, "x"], "c": "x"}


def test_a_file_that_cant_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"gone\.yaml: no such file"):
        read_document(tmp_path / "gone.yaml")
    with pytest.raises(Unusable, match=tmp_path.name):
        read_document(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(Unusable, match=r"latin\.yaml: "):
        read_document(tmp_path / "latin.yaml")
