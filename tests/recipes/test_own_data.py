"""The README's words on a file of one's own, followed as they stand, to two steps of GRPO."""

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HEADS = {"README.md": "Your own questions", "README_zh.md": "你自己的题目"}
RULES = [
    ("允许客户经理代客户操作账户", "否"),
    ("按规定保存交易记录", "是"),
    ("承诺保本保收益", "否"),
    ("如实告知产品费率", "是"),
]


def commands(name):
    text = (ROOT / name).read_text(encoding="utf-8").partition(f"## {HEADS[name]}\n")[2]
    return re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1].splitlines()


def test_both_languages_say_the_same():
    assert commands("README.md") == commands("README_zh.md")


def yes_no_csv(path):
    """As Excel saves it in China: GBK, commas, a quoted field with a comma in it."""
    lines = ["编号,题目,答案,类别"]
    for i in range(64):
        rule, answer = RULES[i % len(RULES)]
        who = f"{i * 37 % 101}号网点的{'柜员' if i % 3 else '客户经理'}"
        told = f"{2015 + i % 9}年，{who}{rule},涉及金额{i * 7919 % 900}万元。是否合规？"
        lines.append(f'{i},"{told}",{answer},行为')
    path.write_bytes("\r\n".join(lines).encode("gbk"))


def numbers_xlsx(path):
    openpyxl = pytest.importorskip("openpyxl")
    rng = random.Random(0)
    book = openpyxl.Workbook()
    book.active.append(["题目", "答案"])
    for i in range(64):
        income, cost = rng.randint(2000, 9000), rng.randint(100, 1900)
        name = "".join(chr(0x4E00 + rng.randrange(3000)) for _ in range(8))
        asked = f"{name}公司第{i % 4 + 1}季度收入{income}万元，成本{cost}万元，利润是多少万元？"
        book.active.append([asked, income - cost])
        if i % 2:  # some as text, some as numbers whose format shows the unit
            book.active.cell(i + 2, 2).value = f"{income - cost}万元"
        else:
            book.active.cell(i + 2, 2).number_format = '0"万元"'
    book.save(path)


@pytest.mark.parametrize(("file", "make"), [("exam.csv", yes_no_csv), ("exam.xlsx", numbers_xlsx)])
def test_a_file_becomes_rows_that_train(tmp_path, file, make):
    make(tmp_path / file)
    run = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    python = [sys.executable, "-m"]
    subprocess.run([*python, "dianjin_ext", "init", "."], **run)
    # stands in for what `make quickstart` leaves
    subprocess.run([*python, "dianjin_ext.quickstart.datasets", "world"], **run)
    (tmp_path / "runs/quickstart").mkdir(parents=True)
    model = ["world/sft/cflue_mcq.json", "runs/quickstart/sft", "--hidden", "64"]
    subprocess.run([*python, "dianjin_ext.quickstart.model", *model], **run)

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    lines = commands("README.md")
    if "DIANJIN_TEST_ALL" not in os.environ:
        lines = lines[:-1]  # `make test-all` has GRPO start for each file
    for command in lines:
        done = subprocess.run(
            ["bash", "-c", command.replace("exam.csv", file)],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    if len(lines) == len(commands("README.md")):
        assert "step 2/2" in done.stdout
        assert "validation" in done.stdout
