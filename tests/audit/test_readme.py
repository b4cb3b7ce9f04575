from pathlib import Path

import pytest

from dianjin_ext.audit import audit, our_grader, own_reward_grader
from dianjin_ext.audit.command import markdown

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["README.md", "README_zh.md"])
def test_the_table_is_that_of_todays_corpus(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    table = text.partition("<!-- audit -->")[2].partition("<!-- /audit -->")[0]
    ours = markdown(audit([our_grader(), own_reward_grader()])).strip().splitlines()
    assert table.strip().splitlines()[: len(ours)] == ours, (
        "run scripts/audit_table.py and put the table into both READMEs"
    )
