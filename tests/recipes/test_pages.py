"""docs/recipes: what the pages say is what the files have, and their commands are known."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from dianjin_ext.recipes import Run, commands, get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/recipes").glob("*.md"))
HEADED = re.compile(
    r"^## .*?\(`(configs/[\w/]+\.yaml)`\)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
SET = re.compile(r"`([\w.]+)[=:] ?([^`*{}]+)`")
PREFIXES = (
    "",
    "actor_rollout_ref.",
    "actor_rollout_ref.actor.",
    "actor_rollout_ref.actor.optim.",
    "actor_rollout_ref.rollout.",
    "actor_rollout_ref.ref.",
    "reward.custom_reward_function.",
    "reward.custom_reward_function.reward_kwargs.",
    "algorithm.",
    "algorithm.kl_ctrl.",
    "data.",
)


def text(page):
    return page.read_text(encoding="utf-8")


def test_every_recipe_has_a_page_and_the_index_names_it():
    assert [page.stem for page in PAGES] == recipe_names()
    index = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    assert all(f"(recipes/{name}.md)" in index for name in recipe_names())
    methods = {path.stem for path in (ROOT / "configs/method").glob("*.yaml")}
    assert methods <= set(re.findall(r"^\| `(\w+)` \|", index, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_are_all_stages_in_order(page):
    recipe = get_recipe(page.stem)
    named = re.findall(r"^    .*?recipe\.sh (\w+) (\w+)(.*?)(?:  +#.*)?$", text(page), re.MULTILINE)
    assert {name for name, _, _ in named} == {page.stem}
    stages = [stage for _, stage, _ in named]
    assert stages == [stage for stage in recipe.stages if not stage.endswith("_grpo")]
    for _, stage, rest in named:
        run = Run(size=next(iter(recipe.base)), root=ROOT)
        words = tuple(shlex.split(rest))
        made = commands(recipe, stage, run, words)[0].words
        assert made[len(made) - len(words) :] == words


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs/recipes.md", ROOT / "docs/verl_keys.md"],
                         ids=lambda page: page.stem)  # fmt: skip
def test_files_and_pages_that_are_named_exist(page):
    for file in re.findall(r"(?:configs|examples|docs)/[\w/]+\.\w+", text(page)):
        assert (ROOT / file).exists() or "NAME" in file, file
    for link in re.findall(r"\]\((?!https)([^)#]+)", text(page)):
        assert (page.parent / link).exists(), link


def sections(kind):
    for page in PAGES:
        for file, section in HEADED.findall(text(page)):
            if file.startswith(f"configs/{kind}"):
                yield pytest.param(file, section, id=f"{page.stem}:{file}")


def told(section):
    """Yield key and value of what the second column of a section's table says."""
    for line in section.splitlines():
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) >= 4 and not set(cells[1].strip()) <= {"-"}:
            yield from (pair for pair in SET.findall(cells[2]) if "…" not in pair[1])


@pytest.mark.parametrize(("file", "section"), sections("recipe"))
def test_values_of_rl_are_those_of_the_composed_configuration(file, section):
    pytest.importorskip("verl")
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        config = compose("rl", overrides=[f"recipe={Path(file).stem}"])
    checked = 0
    for key, value in told(section):
        found = [OmegaConf.select(config, prefix + key) for prefix in PREFIXES]
        found = [each for each in found if each is not None]
        assert found, key
        if not isinstance(yaml.safe_load(value), list | str) or re.fullmatch(r"[\w-]+", value):
            assert (
                yaml.safe_load(value.replace("e-", ".0e-") if "." not in value else value) in found
            )
            checked += 1
    assert checked or Path(file).stem == "deepseek_r1_all", file


def test_a_verifier_is_chosen_by_the_words_of_the_page(typed, values):
    pytest.importorskip("verl")
    from hydra import compose, initialize_config_dir

    from dianjin_ext.hosts.verl.config_check import check_config
    from dianjin_ext.hosts.verl.judge_check import check_judge
    from dianjin_ext.rewards.judge import read_judge

    (block,) = re.findall(r"```bash\n(.*?)```", text(ROOT / "docs/recipes/fino1.md"), re.DOTALL)
    lines = [line for line in block.splitlines() if " rl" in line]
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        at = words.index("bash")
        knobs = dict(word.split("=") for word in words[:at])
        assert words[at : at + 3] == ["bash", "examples/recipe.sh", "fino1"]
        run = {"size": knobs.get("SIZE", "8b"), "platform": knobs.get("PLATFORM", "gpu")}
        command = typed("fino1", words[at + 3], *words[at + 4 :], **run, base="m")[0]
        own = command[command.index("--config-name") + 2 :]
        with initialize_config_dir(str(ROOT / "configs"), version_base=None):
            config = compose("rl", overrides=own)
        check_config(config)
        check_judge(config)
        given = config.reward.custom_reward_function.reward_kwargs.get("judge")
        judge = read_judge(given) if given is not None else None
        served = config.reward.reward_model
        trained = values(typed("fino1", "verifier", **run, base="m")[0])["out"]
        found.append((words[at + 3], judge and judge.kind, served.enable))
        if judge is not None and served.enable:  # behind verl's router
            assert served.model_path == judge.model == trained and judge.base_url is None
        elif judge is not None:
            assert judge.model == Path(trained).name and judge.keyless
            assert f"{trained} --port {judge.base_url.split(':')[-1].split('/')[0]}" in block
    assert found == [
        ("rl", "classifier", True),
        ("rl_grpo", "classifier", True),
        ("rl", "classifier", False),
        ("rl", None, False),
    ]


@pytest.mark.parametrize(("file", "section"), sections("sft"))
def test_values_of_sft_are_those_of_the_file(file, section):
    own = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    for key, value in told(section):
        assert str(own.get(key)) == str(yaml.safe_load(value)) or key not in own, (key, value)
