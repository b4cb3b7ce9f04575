"""Labels that prose states; the audit's corpus has many more cases."""

import pytest

from dianjin_ext.answers.labels import named_sets
from dianjin_ext.answers.stated_labels import contradicts, read_stated_label

SENTIMENT = named_sets(("sentiment",))
COMPLIANCE = named_sets(("compliance",))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("**Sentiment:** Bullish\n\nBearish voices are few.", "bullish"),
        ("The sentiment expressed in this tweet is bullish.", "bullish"),
        ("The tweet conveys a positive sentiment.", "bullish"),
        ("I'd label it bullish.", "bullish"),
        ("营收增长。\n所以这是利好消息。", "bullish"),
        ('{"sentiment": "bullish"}', "bullish"),
        ("The sentiment is bullish on Apple.", "bullish"),
        ("This tweet is bullish, as it names a rise and does not name a loss.", "bullish"),
        ("The post has a neutral tone since it shows no opinion or preference.", "neutral"),
        ("The sentiment is neutral, and the tweet shows no opinion or preference.", "neutral"),
        ("该推文是利好，因为公司没有下调目标价。", "bullish"),
    ],
)
def test_stated(text, label):
    assert read_stated_label(text, SENTIMENT).value == label


@pytest.mark.parametrize(
    "text",
    [
        "The previous sentiment: bullish",
        "Some say the sentiment is bullish.",
        "Sentiment: bullish on the surface; bearish in substance",
        "Sentiment: Bullish\nSentiment: Bearish",
        "综上，难言利好",
        "因此，利好有限。",
        "Therefore, it is hardly bullish.",
        "Bullish investors lost money.",
        "This tweet is not bullish, as it names no price.",
        "This tweet could be bullish, as it names a price.",
        "This tweet is bullish as long as rates fall.",
        "This tweet is bullish, as if that mattered.",
        "This tweet is bullish, as some analysts say.",
        "This tweet is bullish, as it is less bearish.",
        "The tweet says that nobody is bullish, because rates rise.",
        "This tweet is bullish, because it is a joke, but who knows.",
        "该推文不是利好，因为公司下调了目标价。",
        "该推文是利好，因为市场可能误解了它。",
    ],
)
def test_not_stated(text):
    assert read_stated_label(text, SENTIMENT).value is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("坐席没有承诺收益，因此合规。", "compliant"),
        ("该对话是合规的。", "compliant"),
        ("未认定为合规", None),
        ("综上，该行为难以认定合规", None),
        ("结论：合规。但存在违规", None),
    ],
)
def test_compliance(text, label):
    assert read_stated_label(text, COMPLIANCE).value == label


def test_what_follows_a_box():
    assert contradicts("\nSentiment: bearish", "bullish", SENTIMENT)
    assert not contradicts("\nSentiment: bullish", "bullish", SENTIMENT)
    assert not contradicts("\nBearish voices are few.", "bullish", SENTIMENT)
