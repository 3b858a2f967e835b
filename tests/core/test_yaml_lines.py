"""YAML files as values with lines, and what of them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockserver.core.errors import Unusable
from mockserver.core.yaml_lines import parse_document, read_document

PATH = Path("some.yaml")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("abc 1-:#\n\u00e9", max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcy1", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_values_are_those_that_a_yaml_library_reads(value: object) -> None:
    for flow in (True, False):
        text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
        assert parse_document(text, PATH).value == yaml.safe_load(text)


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
        "some.yaml:4: the key 'b' is given twice",
        "some.yaml:6: the key 'd' is given twice",
    ]


def test_a_key_that_is_no_word_is_refused_with_its_line() -> None:
    with pytest.raises(Unusable, match=r"some\.yaml:2: a key must be a word or a number, got 1\.5"):
        parse_document("a: 1\n1.5: 2\n", PATH)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\nb: 3\n", "some.yaml:2: not valid YAML"),
        ("a: 1\n b: 2\n", "some.yaml:2: not valid YAML"),
        ("a: *nobody\n", "some.yaml:1: not valid YAML"),
        ("a: !!python/object:os.system {}\n", "some.yaml"),
        ("a: \x00\n", "some.yaml"),
        ("--- 1\n--- 2\n", "some.yaml:2: not valid YAML"),
        ("a:\n  " + "[" * 100_000, "some.yaml:2: not valid YAML: nested deeper than 50 levels"),
        ("- " * 100_000, "some.yaml:1: not valid YAML: nested deeper than 50 levels"),
        ("a: &a [*a]\n", "some.yaml:1: not valid YAML: no anchor &a"),
        ("a:\n  <<: {b: 1}\n", "some.yaml:2: not valid YAML"),
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
