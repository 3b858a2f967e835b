"""Profiles: those that travel with the package, and every way to give a choice that there is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from mockserver.billing.profile import (
    CHOICES,
    Choice,
    Profile,
    Value,
    dump_profile,
    load_profile,
    parse_overrides,
    profile_schema,
    profiles,
)
from mockserver.core.errors import Unusable
from mockserver.core.resources import profiles_dir
from mockserver.core.yaml_lines import read_document

choices = st.fixed_dictionaries({}, optional={key: st.sampled_from(choice.values) for key, choice in CHOICES.items()})


def test_the_shipped_profiles_are_listed_with_the_default_one_first() -> None:
    assert [one.name for one in profiles()] == ["default", "alternative", "laravel", "lenient", "strict"]
    assert all(one.description for one in profiles())


def test_the_default_file_spells_out_every_choice_with_its_default() -> None:
    value = read_document(profiles_dir() / "default.yaml").value
    assert {key: choice.default for key, choice in CHOICES.items()} == {
        key: chosen for key, chosen in value.items() if key != "description"
    }
    assert load_profile("default").profile == Profile()


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_default_file_names_every_other_value(choice: Choice) -> None:
    text = (profiles_dir() / "default.yaml").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(f"{choice.key}: "))
    others = ["null" if value is None else str(value) for value in choice.values[1:]]
    assert all(other in line.partition(" # ")[2] for other in others)


def test_the_alternative_profile_makes_every_choice_otherwise() -> None:
    alternative = load_profile("alternative").profile.values()
    assert [key for key, choice in CHOICES.items() if alternative[key] == choice.default] == []


@pytest.mark.parametrize("name", ["alternative", "lenient", "strict"])
def test_profiles_that_no_server_is_known_to_have_say_so(name: str) -> None:
    assert load_profile(name).description.startswith("Hypothetical.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("collect_staus: 200\n", ":1: collect_staus: unknown key: did you mean collect_status?"),
        ("description: x\nunrelated: 1\n", ":2: unrelated: unknown key: `mockserver profiles` lists the keys"),
        ("create_status: 204\n", ":1: create_status: must be 200 or 201, got 204"),
        ('create_status: "201"\n', ':1: create_status: must be 200 or 201, got "201"'),
        ("range_base: false\n", ":1: range_base: must be 1 or 0, got false"),
        ("refinalize: yes\n", ':1: refinalize: must be refuse or accept, got "yes"'),
        ("refinalize:\n", ":1: refinalize: must be refuse or accept, got null"),
        ("per_page_max: 0\n", ":1: per_page_max: must be any number from 1 or null, got 0"),
        ("per_page_max: 1\nper_page_max: 2\n", ':2: the key "per_page_max" is given twice'),
        ("per_page_max: 010\n", ":1: per_page_max: 010 begins with a 0"),
        ("create_status: 201.5\n", ":1: create_status: must be 200 or 201, got 201.5"),
        ("recollect: acept\n", ':1: recollect: must be refuse or accept, got "acept": did you mean accept?'),
        ("7: 1\n", ':1: 7: a key must be text, got 7: write it in quotes, "7"'),
        ("- refinalize\n", ':1: must be a mapping of keys to values, got ["refinalize"]'),
        ("refinalize: [\n", "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unusable) as caught:
        load_profile(str(path))
    assert [told.startswith(str(path)) for told in caught.value.problems] == [True]
    assert problem in caught.value.problems[0]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("create_status: 1\nrecollect: accept\nlist_order: newest\n", encoding="utf-8")
    with pytest.raises(Unusable) as caught:
        load_profile(str(path))
    assert len(caught.value.problems) == 2


def test_an_unknown_profile_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(Unusable, match="did you mean strict"):
        load_profile("strct")


def test_overrides_are_typed_by_their_key() -> None:
    assert parse_overrides(["create_status=201", " recollect = accept", "per_page_max=null", "range_base=0"]) == {
        "create_status": 201, "recollect": "accept", "per_page_max": None, "range_base": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("create_status", "expected KEY=VALUE"),
        ("create_status=", 'create_status: must be 200 or 201, got ""'),
        ("create_status=2O1", 'got "2O1"'),
        ("create_status=0201", 'got "0201"'),
        ("per_page_max=010", 'got "010"'),
        ("create_stats=201", "did you mean create_status?"),
        ("per_page_max=-1", "per_page_max: must be any number from 1 or null, got -1"),
        ("per_page_max=" + "9" * 5000, "must be any number from 1"),
    ],
)
def test_an_override_that_is_no_choice_is_refused(setting: str, problem: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse_overrides(["recollect=accept", setting])
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]
    assert caught.value.problems[0].startswith(f"--set {setting}")


@given(choices)
def test_a_profile_that_was_written_is_read_as_the_same_profile(
    tmp_path_factory: pytest.TempPathFactory, made: dict[str, Value]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(dump_profile(made, description="As measured: all of it"), encoding="utf-8")
    loaded = load_profile(str(path))
    assert loaded.profile == Profile().changed(made)
    assert loaded.description == "As measured: all of it"


def test_a_change_to_what_is_no_choice_is_refused() -> None:
    with pytest.raises(Unusable, match="nothing: unknown key"):
        Profile().changed({"nothing": 1})


def test_a_number_may_be_written_as_json_allows(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("create_status: 201.0\n", encoding="utf-8")
    assert repr(load_profile(str(path)).profile.create_status) == "201"


@given(st.sampled_from(list(CHOICES)), st.none() | st.booleans() | st.integers(-3, 600) | st.text(max_size=3))
def test_the_schema_of_profiles_allows_what_the_choices_accept(key: str, value: Value) -> None:
    validator = Draft202012Validator(profile_schema())
    for candidate in (value, *CHOICES[key].values):
        assert validator.is_valid({key: candidate}) == CHOICES[key].accepts(candidate)
