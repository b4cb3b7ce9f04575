import random

from dianjin_ext.questions.duplicates import near_duplicates, normalize

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
