"""The page in a real browser: what it loads, what a click and a key do, how it looks to a screen reader.

Needs the extra ``browser`` and a Chromium (``apt-get install chromium``, or AUDIOLOSS_CHROMIUM names one); the
accessibility rules are those of axe-core, where AUDIOLOSS_AXE names its ``axe.min.js``.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from audioloss_cli.model import Report
from tests.outputs.html.made import collapsed, mixed, page_of, run_of

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra 'browser'")
CHROMIUM = os.environ.get("AUDIOLOSS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
AXE = os.environ.get("AUDIOLOSS_AXE", "")
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the browser's driver
]
TABLE_ROWS = (
    "[...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden).map((row) => row.dataset.state)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page_of(mixed()), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file):
    """Open a page; at the end nothing may have gone wrong, and nothing but the file may have been asked for."""
    said, pages = [], []

    def open_page(path: Path = file, **options):
        page = browser.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or said.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []


def test_the_worst_runs_come_first_and_their_sections_are_open(opened):
    page = opened()
    states = page.evaluate(TABLE_ROWS)
    assert states == ["critical", "critical", "damaged", "not audited", "known", "suppressed", "clean"]
    assert page.locator("#r0").get_attribute("open") is not None
    assert page.locator("#r1").get_attribute("open") is None
    assert page.locator("h1").inner_text().startswith("FAIL")


def test_sorting_by_a_column_and_back(opened):
    page = opened()
    button = page.get_by_role("button", name="points")
    button.click()
    keys = "[...document.querySelectorAll('#table tbody tr')].map((row) => Number(row.cells[6].dataset.key))"
    assert page.evaluate(keys) == sorted(page.evaluate(keys))
    assert page.locator("th[aria-sort=ascending]").inner_text() == "points"
    button.press("Enter")
    assert page.evaluate(keys) == sorted(page.evaluate(keys), reverse=True)
    assert page.locator("th[aria-sort=descending]").count() == 1


def test_searching_and_filtering_with_the_keyboard(opened):
    page = opened()
    page.keyboard.press("/")
    page.keyboard.type("CODEBOOK_2")  # no tag of an incident
    assert page.locator("#shown").inner_text() == "0 of 7 runs"
    page.keyboard.press("Escape")
    page.keyboard.type("critical-loss")
    assert page.evaluate(TABLE_ROWS) == ["critical", "known", "suppressed"]
    assert page.locator("#r1").is_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#r2[open]")
    assert page.url.endswith("#r2")
    page.get_by_role("button", name="known 1").click()
    assert page.evaluate(TABLE_ROWS) == ["known"]
    page.get_by_role("button", name="known 1").click()
    page.get_by_label("search runs").fill("")
    assert page.locator("#shown").inner_text() == "7 runs"


def test_values_stand_under_the_pointer(opened):
    page = opened()
    axes = page.locator("#r0 figure svg.axes").first
    axes.scroll_into_view_if_needed()
    box = axes.bounding_box()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 20)
    said = page.locator("#r0 figure output").first.inner_text()
    assert said.startswith("step 5")
    assert ": 0.004" in said
    assert "critical critical-loss" in said


def test_the_keyboard_reads_and_zooms_a_curve(opened):
    page = opened()
    figure = page.locator("#r0 figure").first
    figure.focus()
    page.keyboard.press("Home")
    assert figure.locator("output").inner_text().startswith("step 0: 3")
    page.keyboard.press("End")
    assert figure.locator("output").inner_text().startswith("step 59")
    full = page.locator("#r0 svg.data").first.get_attribute("viewBox")
    page.keyboard.press("+")
    zoomed = page.locator("#r0 svg.data").first.get_attribute("viewBox")
    assert float(zoomed.split()[2]) == pytest.approx(float(full.split()[2]) / 2)
    others = page.evaluate(
        "[...document.querySelectorAll('#r0 svg.data')].map((each) => each.getAttribute('viewBox').split(' ')[0])"
    )
    assert set(others) == {zoomed.split()[0]}  # all curves of the run go along
    page.keyboard.press("0")
    assert page.locator("#r0 svg.data").first.get_attribute("viewBox") == full


def test_dragging_zooms_and_an_incident_is_shown_on_its_curve(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    axes = page.locator("#r0 figure svg.axes").first
    axes.scroll_into_view_if_needed()
    box = axes.bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.mouse.up()
    x, _, width, _ = map(float, page.locator("#r0 svg.data").first.get_attribute("viewBox").split())
    assert x == pytest.approx(0.25 * 599, abs=4)
    assert width == pytest.approx(0.25 * 599, abs=4)
    labels = page.locator("#r0 figure g.x text").first.inner_html()
    assert 149 <= int(labels) <= 301
    page.locator("#r0").get_by_role("button", name="all steps").click()
    page.locator("#r0 article").first.get_by_role("button", name="show on the curve").click()
    x, _, width, _ = map(float, page.locator("#r0 svg.data").first.get_attribute("viewBox").split())
    assert 100 < x < 300 < x + width


def test_a_linear_axis_shows_the_same_values(opened):
    page = opened()
    figure = page.locator("#r0 figure").first
    figure.focus()
    page.keyboard.press("End")
    before = figure.locator("output").inner_text()
    ticks = "(figure) => [...figure.querySelectorAll('g.y text')].map((each) => each.textContent)"
    assert figure.evaluate(ticks) == ["1", "0.1", "0.01"]
    page.locator("#r0").get_by_role("button", name="linear axis").click()
    assert figure.evaluate(ticks) == ["0", "1", "2", "3"]
    figure.focus()
    page.keyboard.press("End")
    assert figure.locator("output").inner_text() == before
    page.locator("#r0").get_by_role("button", name="linear axis").click()
    assert figure.evaluate(ticks) == ["1", "0.1", "0.01"]


def test_a_small_curve_can_be_made_larger(opened):
    page = opened(viewport={"width": 1280, "height": 900})
    figure = page.locator("#r0 figure.small").first
    before = figure.bounding_box()["width"]
    figure.get_by_role("button").click()
    assert figure.bounding_box()["width"] > 2 * before


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_follows_the_theme(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    other = {"light": "dark", "dark": "light"}[scheme]
    for _ in range(2 if other == "dark" else 1):
        page.locator("#theme-place button").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper


def test_print_is_light_with_every_section_and_no_button(opened):
    page = opened(color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("button:visible").count() == page.locator("thead button:visible").count() > 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0


def test_without_scripts_the_curves_are_there(browser, file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("#r0 figure svg.data path.mean").first.bounding_box()["width"] > 300
    assert page.locator("button").count() == 0
    context.close()


@pytest.mark.skipif(not AXE, reason="AUDIOLOSS_AXE names no axe.min.js (npm install axe-core)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(browser, file, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found["violations"]] == []
    assert len(found["passes"]) > 20
    context.close()


def test_a_thousand_runs_open_at_once(opened, tmp_path):
    """How long that takes depends on the machine; that it is all there, and can be searched, does not."""
    item = collapsed()
    path = tmp_path / "many.html"
    path.write_text(
        page_of(Report(runs=[run_of(f"runs/{number}", [item]) for number in range(1000)])), encoding="utf-8"
    )
    page = opened(path)
    page.get_by_label("search runs").fill("runs/77")
    assert page.locator("#shown").inner_text() == "11 of 1000 runs"


def test_a_single_run_is_counted_as_one(opened, tmp_path):
    path = tmp_path / "one.html"
    path.write_text(page_of(Report(runs=[run_of("runs/a", [collapsed()])])), encoding="utf-8")
    page = opened(path)
    assert page.locator("#shown").inner_text() == "1 run"
    page.get_by_label("search runs").fill("nothing")
    assert page.locator("#shown").inner_text() == "0 of 1 run"
