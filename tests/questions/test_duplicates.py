import itertools
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions import duplicates
from dianjin_ext.questions.duplicates import near_duplicates, near_earlier, normalize

QUESTION = (
    "某企业二〇二〇年购入设备一台，价值一百万元，预计使用十年，按直线法计提折旧，年折旧额是多少"
)


def groups(texts, threshold=0.7):
    return sorted(sorted(group) for group in near_duplicates(texts, threshold) if len(group) > 1)


def test_normalize_drops_what_does_not_matter():
    assert normalize("（　）ＡＢc，1.5 万元。") == "abc15万元"


def test_punctuation_width_and_a_changed_figure_do_not_make_a_new_question():
    texts = [
        QUESTION,
        QUESTION.replace("，", ", ") + "（　）",
        QUESTION.replace("十年", "九年"),
        "下列属于债券的有",
    ]
    assert groups(texts) == [[0, 1, 2]]


def test_one_stem_with_other_options_is_another_question():
    stem = "下列说法正确的是"
    texts = [stem + "国债由财政部发行并以国家信用担保", stem + "期货合约由交易所统一制定并上市交易"]
    assert groups(texts) == []


def test_groups_are_those_of_comparing_all_pairs():
    rng = random.Random(0)
    texts = []
    for _ in range(60):
        base = [rng.choice("abcdefgh") for _ in range(rng.randint(1, 40))]
        for _ in range(3):
            copy = list(base)
            for _ in range(rng.randint(0, 3)):
                copy[rng.randrange(len(copy))] = rng.choice("abcdefgh")
            texts.append("".join(copy))
    sets = [{t[i : i + 4] for i in range(max(1, len(t) - 3))} for t in texts]
    for threshold in (0.5, 0.6, 0.8, 1.0):
        label = list(range(len(texts)))
        for i in range(len(texts)):
            for j in range(i):
                if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold - 1e-9:
                    old, new = label[i], label[j]
                    label = [new if value == old else value for value in label]
        expected = [[i for i in range(len(texts)) if label[i] == value] for value in set(label)]
        expected = sorted(group for group in expected if len(group) > 1)
        assert expected
        assert groups(texts, threshold) == expected


@given(
    st.lists(st.text(alphabet="ab中Ａ1 ,", max_size=12), max_size=10),
    st.sampled_from([0.3, 0.55, 0.7, 1.0]),
)
def test_any_texts_are_grouped_as_comparing_all_pairs_does(texts, threshold):
    sets = [_shingles(normalize(text)) for text in texts]
    parent = list(range(len(texts)))

    def root(position):
        while parent[position] != position:
            position = parent[position]
        return position

    for one, two in itertools.combinations(range(len(texts)), 2):
        if len(sets[one] & sets[two]) >= threshold * len(sets[one] | sets[two]) - 1e-9:
            parent[root(one)] = root(two)
    expected = {}
    for position in range(len(texts)):
        expected.setdefault(root(position), []).append(position)
    assert near_duplicates(texts, threshold) == sorted(expected.values())


def _shingles(text):
    return {text[i : i + 4] for i in range(max(1, len(text) - 3))}


def test_many_texts_are_compared_by_minhash_and_every_group_is_right(monkeypatch):
    pytest.importorskip("rensa")
    rng = random.Random(0)
    texts = []
    for _ in range(300):
        base = "".join(rng.choices("甲乙丙丁戊己庚辛壬癸子丑寅卯", k=40))
        place = rng.randrange(40)
        texts += [base, base[:place] + "变" + base[place + 1 :]]
    exact = near_duplicates(texts)
    monkeypatch.setattr(duplicates, "EXACT_LIMIT", 100)
    found = near_duplicates(texts)
    together = {position: group for group in exact for position in group}
    assert all(together[group[0]] == together[p] for group in found for p in group)
    several = [group for group in exact if len(group) > 1]
    assert len(several) == 300
    assert sum(group in found for group in several) >= 297
    near = list(near_earlier([normalize(text) for text in texts], keys=[0] * 600))
    assert len(near) >= 297 and all(pair.similarity >= 0.7 for pair in near)


def test_odd_texts_are_grouped():
    same = near_duplicates(["x"] * 5000 + ["", " ", "。"])
    assert [len(group) for group in same] == [5000, 3]
    long = "".join(chr(0x4E00 + i % 9000) for i in range(300_000))
    assert near_duplicates([long, long[:-9] + "变", "短"]) == [[0, 1], [2]]
    assert near_duplicates([]) == []


def test_texts_with_other_keys_are_not_compared():
    texts = [normalize(QUESTION)] * 4
    pairs = [(p.position, p.earlier) for p in near_earlier(texts, keys=["a", "b", "a", "c"])]
    assert pairs == [(2, 0)]


@given(
    st.lists(st.text(alphabet="ab中1", max_size=12), max_size=20),
    st.sampled_from([0.1, 0.55, 0.7, 1.0]),
    st.data(),
)
def test_the_first_earlier_one_with_the_same_key_is_named(texts, threshold, data):
    keys = [data.draw(st.sampled_from("xy")) for _ in texts]
    sets = [_shingles(text) for text in texts]
    expected = []
    for one, two in itertools.product(range(len(texts)), repeat=2):
        similarity = len(sets[one] & sets[two]) / len(sets[one] | sets[two])
        if two < one and keys[one] == keys[two] and similarity >= threshold - 1e-9:
            expected.append((one, two, similarity))
    expected = [pairs[0] for pairs in _by_first(expected)]
    assert list(near_earlier(texts, keys=keys, threshold=threshold)) == expected


def _by_first(pairs):
    return [list(group) for _, group in itertools.groupby(pairs, key=lambda pair: pair[0])]


@pytest.mark.parametrize("missing", ["rensa", "numpy"])
def test_what_is_missing_is_named(monkeypatch, missing):
    module = "minhash" if missing == "rensa" else "prefixes"
    monkeypatch.delitem(sys.modules, f"dianjin_ext.questions.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "rensa":
        monkeypatch.setattr("dianjin_ext.questions.duplicates.EXACT_LIMIT", 1)
    with pytest.raises(DianjinError, match=rf"needs {missing}; pip install 'dianjin-ext\[data\]'"):
        near_duplicates(["甲", "乙"])


def test_digits_alone_are_texts_like_others():
    assert len(near_duplicates([str(n) for n in range(100_000, 102_000)])) == 2_000


def test_one_template_with_thousands_of_fillings_is_one_group():
    stem = "某公司的经营活动现金净流量与净利润如下所示请问该公司的盈利现金比率应当是多少万元"
    assert len(near_duplicates([f"{stem}{n}" for n in range(1_000)])) == 1


def test_more_different_characters_than_fit_into_sixteen_bits():
    letters = [chr(c) for c in range(0x20000, 0x2FA00) if chr(c).isalpha()]
    letters += [chr(c) for c in range(0x3400, 0x9FA6)] + [chr(c) for c in range(0xAC00, 0xD7A4)]
    text = normalize("".join(letters))
    assert len(set(text)) > 2**16
    assert groups([text, text[1:], text[::-1]]) == [[0, 1]]
