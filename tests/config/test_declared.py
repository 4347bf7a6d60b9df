"""The settings are declared once, and everything else follows from the declaration."""

import json
import tomllib
from dataclasses import MISSING, fields
from types import NoneType
from typing import Literal, get_args, get_origin

import jsonschema
import pytest

from audioloss_cli import registry
from audioloss_cli.config import FIELDS, SETTINGS, ConfigError, ScanConfig, make_config
from audioloss_cli.config.environment import variables
from audioloss_cli.config.schema import FILE, document_text, schema
from audioloss_cli.model import SettingError
from audioloss_cli.monitor.ruleset import options_of
from tests.make_readme import settings_schema

SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_published_schema_is_the_one_that_is_declared():
    assert FILE.read_text(encoding="utf-8") == settings_schema(), "run: python -m tests.make_readme"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]) == [*FIELDS, "training"]
    assert document_text(schema({"a": {}}, ["b"])) != settings_schema()  # the names of plugins are in it


def test_the_command_prints_it(audioloss):
    assert json.loads(audioloss("config", "--schema").out) == SCHEMA


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if setting.on_command_line])
def test_a_setting_has_an_option_and_a_variable_and_a_sentence(name, audioloss):
    setting = SETTINGS[name]
    text = " ".join(audioloss("scan", "--help").out.split())
    assert f"--{setting.key}" in text
    assert setting.help.rpartition(",")[0].removesuffix(".") in text
    assert setting.variable in variables()


def test_python_s_help_says_what_each_field_means():
    for name, setting in SETTINGS.items():
        assert f"{name}: {setting.help}\n" in ScanConfig.__doc__


def test_what_one_may_be_is_said_in_words_wherever_the_limits_do_not_say_it():
    for item in fields(ScanConfig):
        unsaid = item.name in ("window_size", "threshold", "critical_threshold", "scale")
        assert bool(SETTINGS[item.name].what) is not unsaid
        assert SETTINGS[item.name].help.endswith(".")


WRONG = {bool: 1, int: 1.5, float: "x", str: 3}


@pytest.mark.parametrize("item", fields(ScanConfig), ids=lambda item: item.name)
def test_a_value_of_another_type_is_refused_with_what_it_must_be(item):
    declared = next((each for each in get_args(item.type) if each is not NoneType), item.type)
    declared = item.type if get_origin(item.type) in (tuple, Literal) else declared
    wrong = WRONG.get(declared, 7)
    with pytest.raises(SettingError) as caught:
        ScanConfig(**{item.name: wrong})
    assert caught.value.field == item.name
    assert caught.value.complaint.startswith("must be ")
    assert f"not {wrong!r}" in caught.value.complaint
    assert not VALIDATOR.is_valid({SETTINGS[item.name].key: wrong})


def test_the_schema_takes_what_the_program_takes_and_refuses_what_it_refuses(tmp_path):
    def is_taken(text):
        path = tmp_path / "audioloss.toml"
        path.write_text(text)
        try:
            make_config(path, {})
        except ConfigError:
            return False
        return True

    for text, expected in [
        ("window = 50\nkind = 'small'\nselect = ['log-drop']\ncache = 'kept'\n", True),
        ("[rules.log-drop]\nratio = 8\n[kinds]\n'*mel*' = 'small'\n", True),
        ("[[overrides]]\ntag = 'x*'\nthreshold = 0.1\n", True),
        ("[[suppress]]\ncode = 'low-loss'\nreason = 'known'\n", True),
        ("windw = 50\n", False),
        ("window = 0\n", False),
        ("[[overrides]]\ntag = 'x*'\njobs = 3\n", False),
        ("fail-on = 'info'\n", False),
    ]:
        assert (is_taken(text), VALIDATOR.is_valid(tomllib.loads(text))) == (expected, expected), text


def test_the_schema_names_every_rule_its_options_and_every_format():
    codes = [registry.code_of(name) for name in registry.names("rules")]
    assert SCHEMA["properties"]["ignore"]["items"]["enum"] == codes
    options = {registry.code_of(name): set(options_of(name)) for name in registry.names("rules")}
    tables = SCHEMA["properties"]["rules"]["properties"]
    assert {code: set(table["properties"]) for code, table in tables.items()} == {
        code: names for code, names in options.items() if names
    }
    assert {"enum": list(registry.names("readers"))} in SCHEMA["properties"]["format"]["anyOf"]


def test_a_default_is_what_the_schema_says():
    for item in fields(ScanConfig):
        usual = {} if item.default is MISSING else item.default
        said = SCHEMA["properties"][SETTINGS[item.name].key]["default"]
        assert said == (list(usual) if isinstance(usual, tuple) else usual)
