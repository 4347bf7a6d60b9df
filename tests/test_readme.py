"""The documentation says what the program does."""

import html
import re
import tomllib

import pytest

from tests.make_picture import PICTURE, picture
from tests.make_readme import CORE, PROBE, README, ROOMS, ROOT, TRAINING, Documents, generated

NUMBER = re.compile(r"\b\d+\.\d+\b")
TEXT = README.read_text(encoding="utf-8")
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted(ROOMS.rglob("*.md")), *sorted((ROOT / "tests").rglob("*.md"))]


def assert_up_to_date(documents: Documents) -> None:
    """Another processor rounds the figures of the probe differently in their last digits."""
    for document, parts in documents.items():
        text = document.read_text(encoding="utf-8")
        made = generated(text, parts)
        assert NUMBER.sub("#", made) == NUMBER.sub("#", text), f"{document}: run: python -m tests.make_readme"
        for now, then in zip(NUMBER.findall(made), NUMBER.findall(text), strict=True):
            assert float(now) == pytest.approx(float(then), rel=0.01)


def test_the_generated_parts_are_up_to_date():
    """Those that the core prints; `tests/probe` and `tests/training` hold the others to it."""
    assert_up_to_date(CORE)


def test_every_generated_part_has_what_makes_it():
    for document in DOCUMENTS:
        named = set(re.findall(r"<!-- generated: (\S+) -->", document.read_text(encoding="utf-8")))
        assert named == set({**CORE, **PROBE, **TRAINING}.get(document, {})), document


def test_there_are_two_commands():
    """`.ci/run` takes them from here."""
    assert len(re.findall(r"^```sh$", TEXT, flags=re.MULTILINE)) == 2


def test_it_is_read_in_five_minutes():
    assert README.stat().st_size < 9_000


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_into_the_project_leads_somewhere(document):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)(#[^)]*)?\)", document.read_text(encoding="utf-8")):
        place = document.parent / target if target else document
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor[1:] in [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings], anchor


def test_every_room_that_has_a_page_is_named_in_the_readme():
    pages = {str(path.relative_to(ROOT)) for path in ROOMS.rglob("README.md")}
    assert pages == {page for page in pages if page in TEXT}


def lines_of(svg: str) -> list[str]:
    """What is to be read in the picture, in order."""
    return [html.unescape(text).strip() for text in re.findall(r"<text [^>]*>(.*?)</text>", svg)]


def test_the_picture_is_what_a_terminal_shows_now():
    """By its text: another rich may draw it in another way."""
    drawn, made = PICTURE.read_text(encoding="utf-8"), picture()
    assert lines_of(drawn) == lines_of(made), "run: python -m tests.make_picture"
    assert "FAIL" in "".join(lines_of(drawn))
    assert not re.search(r"""(href|src|url\()\s*=?\s*["']?https?:""", drawn), "it takes something from the network"
    assert PICTURE.name in TEXT


def test_the_configuration_example_is_one(tmp_path):
    from audioloss_cli.audit.settings import AuditSettings
    from audioloss_cli.config import make_config

    text = (ROOMS / "config" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(example)
    config = make_config(tmp_path / "pyproject.toml", {})
    assert (config.scale, config.fail_on, len(config.tags)) == (8, "critical", 2)
    assert config.suppress[0]["reason"] == "the learning rate is swept on purpose"
    assert (config.ignore, config.kinds, config.rules) == (
        ("loss-spike",),
        {"*/mel_loss": "small"},
        {"log-drop": {"ratio": 8}},
    )
    settings = AuditSettings(config)
    assert settings.of("runs/x", "codebook_3").config.limits.threshold == 0.05
    assert settings.of("runs/pretrain-1/log.jsonl", "x").config.ignore == ("chance-level",)


def test_every_other_example_in_toml_is_toml():
    for document in DOCUMENTS:
        for example in re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), flags=re.DOTALL):
            tomllib.loads(example)


def test_every_command_that_the_readme_shows_is_one(audioloss):
    """Its name and its options; what follows `#` is a remark."""
    shown = re.findall(r"^\$ audioloss (\S+)(.*?)(?:#.*)?$", TEXT, flags=re.MULTILINE)
    assert len(shown) >= 5
    for command, rest in shown:
        text = audioloss("help", command).out
        assert [word for word in rest.split() if word.startswith("--") and word not in text] == []
