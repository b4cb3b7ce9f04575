"""Every departure that a result can have is said in Chinese too."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from dianjin_ext.evaluation import standing
from dianjin_ext.evaluation.protocol import Rules, Sampling
from dianjin_ext.evaluation.report.departures import departures


def before(split):
    return standing.departures(
        SimpleNamespace(split="test", size=3000),
        SimpleNamespace(split=split, questions=1500, bad=7),
        SimpleNamespace(questions=20),
        1500,
        Rules(),
        Sampling(temperature=0.5, top_p=0.9, max_tokens=32, samples=4),
        shipped=True,
    )


def after(judge, why):
    results = SimpleNamespace(
        reasons=Counter(undecided=1234, gold_unusable=3),
        outcomes=Counter(refused=2, content_filter=1),
        errors={"refused": why, "content_filter": why},
        silent=5,
    )
    extract = {"zh": "{response}", "en": "{response}"} if judge == "extract" else None
    rules = Rules(judge=judge, extract=extract)
    return standing.standing("p", [], rules, results, judged=False)["departures"]


@pytest.mark.parametrize(
    "said",
    [
        before(""),
        before("val"),
        standing.options_apart(Sampling(), {"temperature": 0.3, "stop": ["。"], "top_k": 5}),
        after("verdict", "HTTP 400: too\nlong {0}"),
        after("extract", ""),
        after(None, ""),
    ],
)
def test_every_departure_is_said_in_both_languages(said):
    words = departures(said)
    assert words.en == "; ".join(said)
    parts = [departures([one]).zh for one in said]
    assert words.zh == "；".join(parts)
    for english, chinese in zip(said, parts, strict=True):
        assert re.search("[一-鿿]", chinese), english
        assert set(re.findall(r"\d[\d,.]*\d|\d", english)) <= set(
            re.findall(r"\d[\d,.]*\d|\d", chinese)
        )
        for left in (" is ", "questions", "count as", "protocol", "refused", "verdict", "judges"):
            assert left not in chinese


def test_what_is_not_known_stays_as_it_is():
    assert departures(["no judge there"]).zh == "no judge there"
