import pytest

from dianjin_ext.data.card.licences import UNKNOWN, licence, strictest
from dianjin_ext.questions.readers import READERS


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_every_licence_that_a_reader_states_is_known(reader):
    found = licence(reader.licence)
    assert found != UNKNOWN
    assert found.names and found.en and found.zh


@pytest.mark.parametrize(
    ("stated", "commercial", "sharing", "attribution"),
    [
        ("MIT", "yes", "yes", "yes"),
        ("CC BY 4.0", "yes", "yes", "yes"),
        ("cc-by-nc-sa-4.0", "no", "same", "yes"),
        ("CC BY-NC-SA 4.0 (gated)", "no", "ask", "yes"),
        ("Apache-2.0 (repository), CC BY-NC-SA 4.0 (hub card)", "no", "same", "yes"),
        ("CC BY 4.0 (README), MIT (LICENSE)", "yes", "yes", "yes"),
        ("see its card; its questions are FinQA's (MIT)", "ask", "ask", "yes"),
        ("CC BY-SA 3.0", "yes", "same", "yes"),
        ("CC BY-NC-ND 4.0", "no", "no", "yes"),
        ("CC0 1.0", "yes", "yes", "no"),
        ("internal", "ask", "no", "ask"),
        ("仅限内部使用", "ask", "no", "ask"),
        ("none stated", "ask", "ask", "ask"),
        ("", "ask", "ask", "ask"),
        ("Licence of the moon", "ask", "ask", "ask"),
        ("permitted with limits", "ask", "ask", "ask"),  # no MIT in it
    ],
)
def test_what_it_allows(stated, commercial, sharing, attribution):
    found = licence(stated)
    assert (found.commercial, found.sharing, found.attribution) == (
        commercial, sharing, attribution,
    )  # fmt: skip


def test_an_unknown_one_says_so():
    for stated in ("", "Licence of the moon"):
        assert licence(stated).en == "Not known: ask before you publish."
        assert "未知" in licence(stated).zh


def test_of_several_the_strictest_word_counts():
    found = strictest([licence("MIT"), licence("CC BY-SA 4.0"), licence("")])
    assert (found.commercial, found.sharing) == ("ask", "ask")
    assert strictest([licence("CC0"), licence("CC BY-NC 4.0")]).commercial == "no"
