"""Folders of evaluated models, and a headless Chromium."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from dianjin_ext.evaluation.report import write_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

HOSTILE = (
    "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
    "<style>body{display:none}</style> \u202eright to left\u202c \ud800 {{ 7*7 }} ![x](http://x/y)"
)


@pytest.fixture(scope="session")
def made():
    path = Path(__file__).with_name("made.py")
    spec = importlib.util.spec_from_file_location("made_runs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folders(made, tmp_path_factory):
    """Return the folders of two models on the same questions; the second was trained further."""
    place = tmp_path_factory.mktemp("runs")
    benchmarks = ("cflue_mcq", "finqa", "tfns")
    for model, right, seed in (("sft", 0.5, 1), ("grpo", 0.8, 2)):
        of = {name: made.rows(model, name, 60, right=right, seed=seed) for name in benchmarks}
        of["tfns"] += [
            hostile(made, model, 60, f"{HOSTILE}\nThe sentiment is bullish."),
            hostile(made, model, 61, "<think>" + "x " * 50_000 + "</think>\\boxed{bullish}"),
        ]
        made.write_run(place / model, model, of)
    made.write_logs(place / "grpo")
    return [place / "sft", place / "grpo"]


def hostile(made, model, nth, text):
    spec = ("tfns", "label", "en", f"{HOSTILE} question", {}, ["bullish", "bearish"])
    row = made.row(model, "tfns", nth, 0, spec, text)
    return row | {"id": f"{row['id']}-{HOSTILE[:30]}"}


@pytest.fixture(scope="session")
def report(folders):
    """Return the page of both, and the facts."""
    out = folders[0].parent / "report.html"
    return out, write_report(folders, out)


@pytest.fixture(scope="module")  # its loop would be in the way of other tests' own
def chromium():
    """Return a headless Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is here ({', '.join(BROWSERS)}): pages are not tried in one")
    sync = pytest.importorskip(
        "playwright.sync_api", reason="no playwright: pages are not tried in a browser"
    )
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
