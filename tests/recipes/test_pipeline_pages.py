"""The pages of docs/pipelines, followed word by word on published rows, up to both hosts."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.questions.question import Question, write_questions
from dianjin_ext.questions.readers import get_reader, read
from dianjin_ext.recipes import Run, get_recipe
from dianjin_ext.recipes import commands as stage_commands

pytest.importorskip("openai")

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
FILES = {
    "knowledge.json": ("cflue", "cflue/knowledge_1500.json"),
    "train.json": ("finqa", "finqa_original/finqa_10.json"),
    "sent_train.csv": ("tfns", "tfns_like/sent_valid.csv"),
    "tatqa_train.json": ("tatqa", "tatqa/tatqa_dev_40.json"),
    "a.csv": ("fineva", "fineva/Ant__安全合规__金融合规性.csv"),
    "b.csv": ("fineva", "fineva/Ant__金融认知__金融情绪识别.csv"),
}
ALSO = {  # what a page says of further files
    "fin_r1": ["files.fineva=[a.csv,b.csv]"],
    "fino1": ["files.tatqa=tatqa_train.json", "steps.failed.high=2"],
    "deepseek_r1": ["files.tfns=sent_train.csv", "files.fineva=[a.csv,b.csv]"],
}
PAGES = ("dianjin_r1", "fin_r1", "fino1", "deepseek_r1")
ROLES = ("teacher", "judge", "writer", "student")


def lines(page):
    text = (ROOT / "docs/pipelines" / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1].splitlines()
    return [line for line in found if not line.startswith("export ")]


def stages(page, kind):
    """The stages of a kind that a page trains, in order."""
    named = [re.fullmatch(rf"bash examples/recipe\.sh {page} (\w+)", line) for line in lines(page)]
    return [each[1] for each in named if each and get_recipe(page).stage(each[1]).do == kind]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page):
    assert lines(page)[0] == "dianjin init ."
    built = [re.search(r"configs/data/\w+\.yaml", x)[0] for x in lines(page) if " build " in x]
    assert all((ROOT / path).is_file() for path in built)
    recipe, others = get_recipe(page), [x for x in lines(page) if not x.startswith("dianjin ")]
    trained = [name for kind in ("sft", "rl", "merge") for name in stages(page, kind)]
    assert len(others) == len(trained) and stages(page, "sft") and stages(page, "rl")
    sets = {recipe.stage(recipe.stage(name).data).config for name in stages(page, "sft")}
    assert {Path(path).stem for path in built} == sets
    text = (ROOT / "docs/pipelines" / f"{page}.md").read_text(encoding="utf-8")
    whole = "".join((ROOT / path).read_text(encoding="utf-8") for path in built)
    for key in re.findall(r"`(?:files|models|steps)\.(\w+)", text):
        assert re.search(rf"^  {key}:", whole, re.MULTILINE), key


@pytest.fixture
def desk(tmp_path):
    """A folder with published files under their own names, and questions that a teacher knows."""
    if not DATA.exists():
        pytest.skip("the published rows are not beside the repository")
    known = {}
    for name, (reader, file) in FILES.items():
        shutil.copy(DATA / file, tmp_path / name)
        for question in read(get_reader(reader), [tmp_path / name]):
            if isinstance(question, Question) and question.answer is not None:
                known[question.id] = question
    write_questions(known.values(), tmp_path / "known.parquet")
    return tmp_path


@pytest.fixture
def model(desk):
    """A tiny model with random weights, and its tokenizer."""
    pytest.importorskip("transformers")
    from dianjin_ext.quickstart.model import main

    rows = [{"instruction": text, "output": text} for text in ("资产负债表", "balance sheet")]
    (desk / "texts.json").write_text(json.dumps(rows), encoding="utf-8")
    shape = ["--vocabulary", "400", "--hidden", "32", "--layers", "1"]
    main([str(desk / "texts.json"), str(desk / "model"), *shape])
    return desk / "model"


def follow(page, desk, url):
    """Run a page's commands up to the hosts'; yield those of the stages that train, as words."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in lines(page):
        words = shlex.split(line)
        if words[0] != "dianjin":
            recipe = get_recipe(page)
            run = Run(size=next(iter(recipe.base)), root=desk)
            yield list(stage_commands(recipe, words[3], run)[0].words)
            continue
        if words[1] == "build":
            model = {"model": "teacher", "base_url": url, "keyless": "true"}
            words += [f"models.{role}.{key}={value}" for role in ROLES for key, value in
                      model.items() if role != "student" or "student" in line]  # fmt: skip
            if "knowledge.json" in line:
                words.append(f"steps.{'cflue_all' if page == 'dianjin_r1' else 'cflue'}.rows=150")
            words += ["steps.set.max_prompt=4096", *ALSO.get(page, [])]
            if "cold_start" in line or page != "deepseek_r1":
                words = [word for word in words if not word.startswith("files.general")]
        command = [sys.executable, "-m", "dianjin_ext", *words[1:]]
        done = subprocess.run(command, cwd=desk, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def teacher(desk):
    from dianjin_ext.quickstart.teacher.serving import serving_teacher

    return serving_teacher(questions=[desk / "known.parquet"])


def some(pages):
    """The first of them, and all in `make test-all`."""
    return pages if os.environ.get("DIANJIN_TEST_ALL") else pages[1:2]


@pytest.mark.slow
@pytest.mark.parametrize("page", some(PAGES))
def test_a_set_trains_with_llamafactory_by_its_pages_words(page, desk, model):
    if importlib.util.find_spec("llamafactory") is None:
        pytest.skip("LLaMA-Factory is not in this environment")
    trained = 0
    with teacher(desk) as url:
        for words in follow(page, desk, url):
            if words[0] != "llamafactory-cli":
                continue
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = str(probe.getsockname()[1])
            command = [str(Path(sys.executable).with_name("llamafactory-cli")), *words[1:]]
            command += [  # what a CPU and a tiny model need; everything else is the page's
                *(f"model_name_or_path={model}", "deepspeed=null", "use_cpu=true"),
                *("max_steps=1", "logging_steps=1", "gradient_accumulation_steps=1"),
                *("preprocessing_num_workers=1", f"output_dir=out-{trained}", "bf16=false"),
                "template=dianjin",  # of the tiny model's marks
            ]
            env = {**os.environ, "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, cwd=desk, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
            assert (desk / f"out-{trained}" / "trainer_log.jsonl").is_file()
            trained += 1
    assert trained == len(stages(page, "sft"))


@pytest.mark.slow
@pytest.mark.parametrize("page", some(PAGES))
def test_a_set_loads_in_verl_by_its_pages_words(page, desk, model):
    if importlib.util.find_spec("verl") is None:
        pytest.skip("verl is not in this environment")
    from omegaconf import OmegaConf
    from verl.utils import hf_tokenizer
    from verl.utils.dataset.rl_dataset import RLHFDataset

    loaded = 0
    with teacher(desk) as url:
        for words in follow(page, desk, url):
            given = [word for word in words if word.startswith(("data.train_f", "data.val_f"))]
            for name in [word.split("=", 1)[1] for word in given]:
                config = {"max_prompt_length": 10**6, "cache_dir": str(desk / "cache")}
                dataset = RLHFDataset(
                    str(desk / name), hf_tokenizer(str(model)), OmegaConf.create(config)
                )
                assert len(dataset) and dataset[0]["reward_model"]["ground_truth"]
                loaded += 1
    assert loaded == 2 * len(stages(page, "rl"))
