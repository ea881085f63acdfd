"""The report in a real browser: it loads quietly, sorts, filters, draws, and runs no stranger."""

import pytest

import upturn
from tests.support import browser as chrome

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
ROWS = "[...document.querySelectorAll('.results tbody tr:not([hidden])')]"
NAMES = f"{ROWS}.map(row => row.querySelector('.open').textContent)"


@pytest.fixture(scope="module")
def tab(drawn, tmp_path_factory):
    program = chrome.found()
    if program is None:
        pytest.skip("needs Chromium, which is not installed")
    folder = tmp_path_factory.mktemp("report")
    upturn.report(drawn).save(folder / "report.html")
    tab = chrome.Browser(program, folder / "profile")
    tab.path = folder / "report.html"
    yield tab
    tab.close()


@pytest.fixture
def opened(tab):
    tab.open(tab.path)
    return tab


def type_in(tab, text):
    tab.run("document.getElementById('filter').select()")
    tab.run("document.getElementById('filter').focus()")
    if text:
        tab.ask("Input.insertText", text=text)
    else:
        tab.run(
            "(i => { i.value = ''; i.dispatchEvent(new Event('input')); })"
            "(document.getElementById('filter'))"
        )


def click(tab, header):
    tab.run(
        "[...document.querySelectorAll('.results th button')]"
        f".find(b => b.textContent === {header!r}).click()"
    )


def test_it_loads_without_a_word_and_without_a_network(opened):
    opened.run("window.scrollTo(0, document.body.scrollHeight)")
    opened.run("new Promise(done => setTimeout(done, 300))")
    complaints, loaded = opened.reported()
    assert complaints == []
    assert loaded == [opened.path.as_uri()]


def test_the_check_hears_a_complaint(opened):
    opened.run("console.error('heard'); fetch('https://example.invalid/').catch(() => 0)")
    complaints, _ = opened.reported()
    assert any("heard" in text for text in complaints)
    assert any("Content Security Policy" in text for text in complaints)


def test_a_hostile_name_stays_text(opened):
    assert opened.run("document.images.length") == 0
    assert HOSTILE in opened.run(NAMES)
    assert opened.run("document.scripts.length") == 2


def test_typing_filters_the_table_and_the_panels(opened):
    assert len(opened.run(NAMES)) == 5
    type_in(opened, "RIS")
    assert opened.run(NAMES) == ["rises"] or "rises" in opened.run(NAMES)
    cards = "[...document.querySelectorAll('.task:not([hidden]) h3')].length"
    assert opened.run(cards) == len(opened.run(NAMES)) < 5
    type_in(opened, "<img")
    assert opened.run(NAMES) == [HOSTILE]
    assert opened.run("document.getElementById('shown').textContent") == "1 of 5 shown"
    type_in(opened, "nothing is called so")
    assert opened.run(NAMES) == []
    type_in(opened, "")
    assert len(opened.run(NAMES)) == 5


def test_a_click_on_a_header_sorts(opened):
    names = opened.run(NAMES)
    click(opened, "task")
    ascending = opened.run(NAMES)
    assert sorted(ascending) == sorted(names)
    in_order = opened.run(
        f"{NAMES}.toSorted((a, b) => a.localeCompare(b, undefined, {{numeric: true}}))"
    )
    assert ascending == in_order
    click(opened, "task")
    assert opened.run(NAMES) == in_order[::-1]
    click(opened, "rise")
    found = opened.run(f"{ROWS}.map(row => Number(row.cells[6].dataset.key))")
    assert found == sorted(found, reverse=True)
    header = "document.querySelector('th[aria-sort]')"
    assert opened.run(f"[{header}.textContent, {header}.ariaSort]") == ["rise", "descending"]
    titles = "[...document.querySelectorAll('.task h3')].map(h => h.firstChild.textContent)"
    assert opened.run(titles) == opened.run(NAMES)


def test_panels_are_drawn_when_they_are_looked_at(opened):
    opened.run("document.querySelector('.results tbody .open').click()")
    opened.run("new Promise(done => setTimeout(done, 600))")
    drawn = opened.run("document.querySelectorAll('.task svg .mean').length")
    assert drawn >= 3
    numbers = opened.run(
        "[...document.querySelectorAll('.task path, .task circle')]"
        ".filter(e => /NaN|undefined|Infinity/.test(e.outerHTML)).length"
    )
    assert numbers == 0
    assert opened.run("document.querySelectorAll('svg.thumb .mean').length") == 5


def test_light_and_dark_differ(opened):
    colour = "getComputedStyle(document.body).backgroundColor"
    before = opened.run(colour)
    opened.run("document.getElementById('theme').click()")
    after = opened.run(colour)
    assert before != after
    opened.ask(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    opened.open(opened.path)
    assert opened.run(colour) == after


def test_it_fits_a_narrow_page(opened):
    opened.ask(
        "Emulation.setDeviceMetricsOverride",
        width=390,
        height=800,
        deviceScaleFactor=1,
        mobile=True,
    )
    wide = opened.run("document.documentElement.scrollWidth")
    opened.ask("Emulation.clearDeviceMetricsOverride")
    assert wide <= 390
