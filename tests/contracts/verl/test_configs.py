"""The recipes of RL, composed by hydra on top of the real verl."""

import copy
from itertools import product
from pathlib import Path

import pytest
import yaml

pytest.importorskip("verl")
from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf
from verl.trainer.ppo.utils import need_critic, need_reference_policy
from verl.utils.config import validate_config

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.doctor.server.defaults import trained
from dianjin_ext.hosts.verl.config_check import check_config
from dianjin_ext.recipes.sampling import rollout_sampling

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
SIZES = sorted(path.stem for path in (CONFIGS / "size").glob("*.yaml"))
GROUPS = {
    group: sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))
    for group in ("recipe", "method", "template")
}
PLATFORMS = sorted(path.stem for path in (CONFIGS / "platform").glob("*.yaml"))
# What the recipe adds to verl's keys, read by dianjin_ext or by the reward function.
ADDED = {
    "data.apply_chat_template_kwargs.enable_thinking",
    "reward.custom_reward_function.reward_kwargs",
    "reward.reward_kwargs",
    "trainer.merge_on_save",
    "trainer.v1.sampler.sampler_kwargs.poll_interval_s",
}


def recipe(*overrides):
    with initialize_config_dir(str(CONFIGS), version_base=None):
        return compose("rl", overrides=list(overrides))


@pytest.fixture(scope="module")
def verls_own():
    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer", overrides=["actor_rollout_ref.rollout.name=vllm"])


@pytest.fixture
def stock(verls_own):
    """verl's configuration with some keys set."""

    def make(*overrides):
        config = copy.deepcopy(verls_own)
        for key, value in (override.split("=") for override in overrides):
            new = OmegaConf.select(config, key.rpartition(".")[0]) is None
            OmegaConf.update(config, key, yaml.safe_load(value), force_add=new)
        return config

    return make


def leaves(node, prefix=""):
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


@pytest.fixture
def passes(passes_verl):
    """Compose the configuration with these groups, have it checked, and return it."""

    def compose(**groups):
        config = recipe(*(f"{group}={name}" for group, name in groups.items()))
        passes_verl(config)
        return config

    return compose


def cells(rows, quick):
    """Return the rows, those that are not quick marked long: each takes most of a second."""
    return [row if quick(*row) else pytest.param(*row, marks=pytest.mark.long) for row in rows]


# The tiny model's learning rate falls by a key that verl has for FSDP only.
FITTING = [
    row for row in product(GROUPS["recipe"], SIZES, PLATFORMS) if row[1:] != ("tiny", "megatron")
]
METHODS = [
    (name, method, size, platform)
    for name, method in product(GROUPS["recipe"], GROUPS["method"])
    for size, platform in (("7b", "gpu"), ("tiny", "cpu"))
]


@pytest.mark.parametrize(
    ("name", "size", "platform"),
    cells(
        FITTING,  # those on GPUs are composed from the commands in tests/recipes/test_composed.py
        lambda name, size, platform: name == "dianjin_r1" and (size, platform) != ("32b", "gpu"),
    ),
)
def test_every_recipe_composes_at_every_size_and_platform(passes, name, size, platform):
    config = passes(recipe=name, size=size, platform=platform)
    assert config.trainer.device == ("cpu" if platform == "cpu" else "cuda")
    assert config.trainer.v1.trainer_mode == "dianjin_sync"
    assert config.reward.reward_manager.name == "dianjin"
    assert config.trainer.default_local_dir.startswith(
        f"experiments/{config.trainer.experiment_name}/"
    )
    rollout = config.actor_rollout_ref.rollout
    sampled = {"temperature": rollout.temperature, "top_p": rollout.top_p}
    assert rollout_sampling(name, size, CONFIGS) == sampled  # what a server samples with
    if (name, size) == ("dianjin_r1", "7b"):
        assert trained() == sampled  # what the doctor compares it with


@pytest.mark.parametrize(
    ("name", "method", "size", "platform"),
    cells(
        METHODS,
        lambda name, method, size, platform: (name, size) == ("fino1", "tiny"),
    ),
)
def test_every_method_combines_with_every_recipe(passes, name, method, size, platform):
    if (name, method) == ("fino1", "dapo"):  # PPO has no groups to filter
        with pytest.raises(DianjinError, match="a group of one is never filtered"):
            passes(recipe=name, size=size, platform=platform, method=f"[{method}]")
        return
    passes(recipe=name, size=size, platform=platform, method=f"[{method}]")


@pytest.mark.parametrize("name", GROUPS["template"])
def test_a_template_goes_on_top_of_any_recipe(passes, name):
    config = passes(recipe="fin_r1", **{"+template": name})
    file = yaml.safe_load((CONFIGS / f"template/{name}.yaml").read_text())
    text = file["actor_rollout_ref"]["model"]["custom_chat_template"]
    assert config.actor_rollout_ref.model.custom_chat_template == text
    other = passes(recipe="deepseek_r1_zero", template=name)
    assert other.actor_rollout_ref.model.custom_chat_template == text


def test_r1_zero_brings_its_own_template(passes):
    config = passes(recipe="deepseek_r1_zero")
    file = yaml.safe_load((CONFIGS / "template/dianjin_r1_zero.yaml").read_text())
    assert (
        config.actor_rollout_ref.model.custom_chat_template
        == (file["actor_rollout_ref"]["model"]["custom_chat_template"])
    )
    assert config.algorithm.adv_estimator == "grpo"
    assert recipe("recipe=fin_r1").actor_rollout_ref.model.custom_chat_template is None


def test_methods_combine(passes):
    config = passes(recipe="fin_r1", method="[lora,gspo,tis,qwen3]")
    assert config.actor_rollout_ref.model.lora_rank > 0
    assert config.actor_rollout_ref.actor.policy_loss.loss_mode == "gspo"
    assert config.algorithm.rollout_correction.rollout_is == "token"
    assert config.reward.custom_reward_function.reward_kwargs.tags == "think_only"


def test_the_second_rl_of_deepseek_r1_is_the_first_but_for_what_it_says():
    first, second = (recipe(f"recipe={name}") for name in ("deepseek_r1", "deepseek_r1_all"))
    assert second.actor_rollout_ref.rollout.temperature == 0.7
    assert second.actor_rollout_ref.actor == first.actor_rollout_ref.actor
    kwargs = second.reward.custom_reward_function.reward_kwargs
    assert (kwargs.preset, kwargs.tags, kwargs.default) == ("deepseek_r1", "think_only", "exact")


@pytest.mark.parametrize(
    "file",
    [
        *("rl.yaml", "platform/gpu.yaml"),
        *(f"size/{size}.yaml" for size in SIZES),
        *(f"{group}/{name}.yaml" for group, names in GROUPS.items() for name in names),
    ],
)
def test_every_key_is_one_of_verls(verls_own, file):
    # Hydra rejects an unknown key on the command line only, not in a file.
    content = yaml.safe_load((CONFIGS / file).read_text())
    for name in ("hydra", "defaults"):
        content.pop(name, None)
    for key in leaves(content):
        if not any(key == added or key.startswith(f"{added}.") for added in ADDED):
            parent, _, last = key.rpartition(".")
            node = OmegaConf.select(verls_own, parent)
            assert node is not None and last in list(node), f"{file}: verl has no key {key}"


@pytest.mark.parametrize(
    "override",
    [
        "actor_rollout_ref.actor.optim.learning_rate=1",
        "trainer.merge_on_save.fatel=true",
        "reward.reward_kwargs.timeout=1",
        "actor_rollout_ref.actor.checkpoint.contents=[model]",
    ],
)
def test_misspelt_keys_are_rejected(override):
    with pytest.raises(ConfigCompositionException):
        recipe(override)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("reward.custom_reward_function.reward_kwargs.preset=dianjin", r"\.preset is 'dianjin'"),
        ("+reward.custom_reward_function.reward_kwargs.weights={accuracy: 1}", "'accuracy'"),
        ("+reward.custom_reward_function.reward_kwargs.judge={}", r"reward_kwargs\.judge"),
    ],
)
def test_wrong_settings_of_the_reward_stop_the_run_before_ray_starts(override, words):
    with pytest.raises(DianjinError, match=words):
        check_config(recipe(override))


def test_reward_kwargs_are_arguments_of_the_reward():
    from verl.trainer.ppo.reward import get_custom_reward_fn

    response = "<think>想</think><answer>\\boxed{C (EBITDA)}</answer>"
    arguments = {"data_source": "cflue_mcq", "solution_str": response, "ground_truth": "C"}
    strictness = "reward.custom_reward_function.reward_kwargs.strictness"
    scores = {}
    for value in ("strict", "dianjin"):
        function = get_custom_reward_fn(recipe(f"{strictness}={value}"))
        scores[value] = function(**arguments, extra_info={"choices": {"C": "EBITDA"}})["score"]
    assert scores == {"strict": 1.0, "dianjin": 0.0}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("custom_reward_function.path=a.py", "reward.custom_reward_function.path"),
        ("custom_reward_function.name=f", "reward.custom_reward_function.name"),
        ("reward_model.reward_manager=dapo", "reward.reward_manager.name"),
        ("reward_model.num_workers=2", "reward.num_workers"),
        ("reward_model.enable=false", "reward.reward_model.enable"),
        ("reward_model.model.path=m", "reward.reward_model.model_path"),
        ("reward_model.rollout.name=vllm", "reward.reward_model.rollout.name"),
        ("reward_model.reward_kwargs.x=1", "reward.reward_kwargs"),
        ("sandbox_fusion.url=u", "reward.sandbox_fusion.url"),
    ],
)
def test_keys_that_verl_ignores_are_refused_with_their_new_name(stock, old, new):
    config = stock(old)
    name = old.split("=")[0].removesuffix(".x")
    with pytest.raises(DianjinError) as error:
        # verl's own function, which main_ppo calls first
        validate_config(config, need_reference_policy(config), need_critic(config))
    line = next(line for line in str(error.value).splitlines() if "without a word" in line)
    assert f"{name} -> {new}" in line.split(": ", 1)[1].split("; ")
    # The new name is one that verl knows.
    parent, _, last = new.rpartition(".")
    assert last in list(OmegaConf.select(config, parent)) or last == "reward_kwargs"


def test_verls_own_defaults_pass(stock):
    check_config(stock())


@pytest.mark.parametrize("path", ["dianjin_ext.rewards", "missing/reward.py"])
def test_a_reward_path_that_is_no_file_is_refused(path):
    with pytest.raises(DianjinError) as error:
        check_config(recipe(f"reward.custom_reward_function.path={path}"))
    assert ("pkg://dianjin_ext.rewards" in str(error.value)) == ("/" not in path)


@pytest.mark.parametrize(
    ("override", "switch"),
    [
        ("algorithm.kl_ctrl.kl_coef=0.01", "algorithm.use_kl_in_reward"),
        ("actor_rollout_ref.actor.kl_loss_coef=0.01", "actor_rollout_ref.actor.use_kl_loss"),
    ],
)
def test_a_coefficient_without_its_switch_is_told(stock, caplog, override, switch):
    check_config(stock(override))
    assert f"no effect without {switch}=true" in caplog.text
    caplog.clear()
    check_config(stock(override, f"{switch}=true"))
    assert not caplog.records
