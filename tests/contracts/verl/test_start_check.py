"""What is refused before Ray starts, and what is not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")
import pyarrow as pa
from hydra import compose, initialize_config_dir
from pyarrow import parquet

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.config_check import check_start
from dianjin_ext.recipes import Run, asking, commands, get_recipe, recipe_names

ROOT = Path(__file__).resolve().parents[3]
ACTOR = "actor_rollout_ref.actor"
ROLLOUT = "actor_rollout_ref.rollout"


@pytest.fixture(scope="module")
def fitting(tiny_model, tiny_data):
    """The recipe at a size that fits the tiny data on one machine with two devices."""
    return [
        "platform=cpu",
        f"data.train_files={tiny_data}/train.parquet",
        f"data.val_files={tiny_data}/val.parquet",
        f"actor_rollout_ref.model.path={tiny_model}",
        "data.train_batch_size=8",
        f"{ACTOR}.ppo_mini_batch_size=4",
        f"{ACTOR}.ppo_micro_batch_size_per_gpu=8",
        f"{ROLLOUT}.n=4",
    ]


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("VERL_PLATFORM", "cpu")


@pytest.fixture
def refused(fitting):
    """Return the lines that a run gets when some keys are changed."""

    def check(*overrides):
        with initialize_config_dir(str(ROOT / "configs"), version_base=None):
            config = compose("rl", overrides=[*fitting, *overrides])
        try:
            check_start(config)
        except DianjinError as error:
            lines = str(error).splitlines()
            return lines[1:] if lines[0].endswith("mistakes:") else lines
        return []

    return check


def write(path, **columns):
    """One row in verl's format, with some columns replaced, or left out where None."""
    row = {
        "data_source": "cflue_mcq",
        "prompt": [{"role": "user", "content": "?"}],
        "reward_model": {"ground_truth": "A"},
    } | columns
    row = {key: value for key, value in row.items() if value is not None}
    parquet.write_table(pa.Table.from_pylist([row] * 8), path)
    return path


def test_a_run_that_fits_starts(refused):
    assert refused() == []


@pytest.mark.parametrize("name", [path.stem for path in (ROOT / "configs/recipe").glob("*.yaml")])
def test_every_recipe_starts_small_by_the_words_of_its_stage(name, tiny_model, tiny_data):
    recipe, stage = next(
        (recipe, stage)
        for recipe in map(get_recipe, recipe_names())
        for stage, done in recipe.stages.items()
        if done.do == "rl" and done.config == name
    )
    run = Run(size="tiny", platform="cpu", root=ROOT)
    server = asking(recipe, stage, run, url="http://127.0.0.1:9/v1", model="m")
    (command,) = commands(recipe, stage, run, server, model=str(tiny_model))
    words = command.words[command.words.index("--config-name") + 2 :]
    data = [f"data.{use}_files={tiny_data}/{use}.parquet" for use in ("train", "val")]
    small = ["data.train_batch_size=8", f"{ACTOR}.ppo_mini_batch_size=8"]
    micro = [
        f"{ACTOR}.ppo_micro_batch_size_per_gpu=4",
        f"{ROLLOUT}.n={1 if name == 'fino1' else 4}",
    ]
    micro += [f"actor_rollout_ref.{node}.log_prob_micro_batch_size_per_gpu=4"
              for node in ("ref", "rollout")]  # fmt: skip
    with initialize_config_dir(str(ROOT / "configs"), version_base=None):
        check_start(compose("rl", overrides=[*words, *data, *small, *micro]))


@pytest.mark.parametrize(
    ("override", "words"),
    [
        # 8 x 4 = 32 responses in a step, 16 in a mini-batch, 8 of those on each of two ranks
        (f"{ACTOR}.ppo_micro_batch_size_per_gpu=3", ["=3 does not divide the 8", "2 does"]),
        (f"{ACTOR}.ppo_mini_batch_size=16", ["ppo_mini_batch_size=16 is above"]),
        (f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu=5", ["=5 does not divide the 16", "4 does"]),
        (
            "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=7",
            ["=7 does not divide the 16", "4 does"],
        ),
        ("trainer.n_gpus_per_node=3", ["32 responses can't be shared among 3 ranks; 9 prompts"]),
        (f"{ROLLOUT}.tensor_model_parallel_size=4", ["takes 4 ranks, which do not divide the 2"]),
        ("data.train_batch_size=128", ["the training files have 64 rows"]),
        (f"{ROLLOUT}.n=0", [f"{ROLLOUT}.n=0: expected a whole number"]),
        (f"{ACTOR}.ulysses_sequence_parallel_size=4", ["=4 does not divide the 2 ranks"]),
        ("trainer.logger=[console,wandbb]", ["'wandbb' is not known", "swanlab"]),
        ("reward.reward_manager.name=dianjn", ["reward_manager.name=dianjn"]),
        ("reward.custom_reward_function.name=compute_scor", ["=compute_scor", "no function"]),
        ("reward.custom_reward_function.path=pkg://dianjin_ext.reward", ["can't be loaded"]),
        ("actor_rollout_ref.model.path=models/a/b", ["model.path=models/a/b: no such folder"]),
        ("actor_rollout_ref.model.tokenizer_path=./none", ["tokenizer_path=./none: no such"]),
        ("algorithm.adv_estimator=grppo", ["adv_estimator=grppo is not known", "rloo"]),
        ("algorithm.adv_estimator=remax", ["adv_estimator=remax fails"]),
        (f"{ACTOR}.policy_loss.loss_mode=gsp", ["loss_mode=gsp is not known", "gspo"]),
        ("data.train_files=gone.parquet", ["data.train_files=gone.parquet: no such file"]),
        ("data.val_files=[gone.parquet]", ["data.val_files=gone.parquet: no such file"]),
        ("data.val_files=null", ["data.val_files is empty"]),
        ("data.train_max_samples=7", ["the training files have 7 rows"]),
        ("data.gen_batch_size=3", ["gen_batch_size=3 does not divide"]),
        (f"{ACTOR}.ppo_micro_batch_size_per_gpu=0", ["per_gpu=0: expected a whole number"]),
        (f"{ROLLOUT}.tensor_model_parallel_size=0", ["size=0: expected a whole number"]),
        (f"{ACTOR}.ulysses_sequence_parallel_size=0", ["size=0: expected a whole number"]),
        (f"{ACTOR}.ppo_epochs=0", ["ppo_epochs=0: expected a whole number"]),
        ("reward.num_workers=0", ["reward.num_workers=0: expected a whole number"]),
        (f"{ROLLOUT}.temperature=0", ["temperature=0: expected a number above 0"]),
        (f"{ACTOR}.clip_ratio_c=1", ["clip_ratio_c=1: expected a number above 1"]),
        (f"{ACTOR}.kl_loss_type=full", ["kl_loss_type=full is not known", "low_var_kl"]),
        ("trainer.resume_mode=yes", ["resume_mode=yes is not known; known: auto, disable"]),
        ("algorithm.rollout_correction.rollout_is=tokens", ["rollout_is=tokens is not known"]),
        ("algorithm.rollout_correction.rollout_rs=token_k3", ["needs", "rollout_rs_threshold"]),
        ("trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.Merge", ["Merge"]),
        ("actor_rollout_ref.model.path=''", ["model.path is not set"]),
        ("actor_rollout_ref.model.custom_chat_template=a/b.jinja", ["the template itself"]),
    ],
)
def test_what_would_fail_later_is_one_line(refused, override, words):
    lines = refused(override)
    assert any(all(word in line for word in words) for line in lines), lines


@pytest.mark.parametrize(
    "override",
    [
        f"{ACTOR}.use_dynamic_bsz=true",  # micro-batches by tokens
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu=4",
        "data.train_batch_size=6",  # verl fills the last mini-batch up
        "actor_rollout_ref.model.path=Qwen/Qwen2.5-0.5B-Instruct",  # a hub can't be asked
        "data.train_files=hdfs://cluster/train.parquet",
        "actor_rollout_ref.actor.use_kl_loss=false",
        "algorithm.adv_estimator=rloo",
        f"{ACTOR}.policy_loss.loss_mode=gspo",
        "data.train_max_samples=60",
        "data.gen_batch_size=4",
        f"{ACTOR}.kl_loss_type=k3+",
        "algorithm.kl_penalty=full",  # not used without use_kl_in_reward
        "trainer.v1.trainer_mode=colocate_async",
        "algorithm.rollout_correction.rollout_is_threshold='0.5_5.0'",
        "trainer.logger=console",
        "+template=dianjin",
    ],
)
def test_what_verl_can_do_is_not_refused(refused, override):
    assert refused(override) == []


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (f"{ACTOR}.use_kl_loss=no", f"{ACTOR}.use_kl_loss='no': expected true or false"),
        ("trainer.val_before_train='False'", "trainer.val_before_train='False': expected true or"),
        ("critic.enable=maybe", "critic.enable='maybe': expected true or false"),
        ("trainer.save_freq=never", "trainer.save_freq='never': expected a number"),
        ("trainer.save_freq=true", "trainer.save_freq=True: expected a number"),
        (f"{ACTOR}.optim.lr=fast", f"{ACTOR}.optim.lr='fast': expected a number"),
        (f"{ACTOR}.ppo_micro_batch_size_per_gpu=abc", "per_gpu=abc: expected a whole number"),
        (f"{ROLLOUT}.n=x", f"{ROLLOUT}.n='x': expected a number"),
        (f"{ACTOR}.checkpoint.save_contents=model", "save_contents='model': expected a list"),
        ("algorithm.filter_groups=true", "algorithm.filter_groups=True: expected keys below it"),
        ("reward.reward_kwargs=5", "reward.reward_kwargs=5: expected keys below it"),
        ("reward.custom_reward_function.path=5", "path=5: expected a text"),
        ("data.train_files=5", "data.train_files=5: expected a text"),
        ("data.val_files=[5]", "data.val_files=5: expected a text"),
        ("actor_rollout_ref.model.path=20261126", "model.path=20261126: expected a text"),
        ("trainer.logger=5", "trainer.logger=5: expected a list"),
        ("trainer=null", "the configuration can't be resolved"),
    ],
)
def test_a_value_of_another_kind_is_one_line_and_the_only_one(refused, override, line):
    (told,) = refused(override)
    assert line in told


@pytest.mark.parametrize(
    "override",
    [
        f"{ACTOR}.use_dynamic_bsz=0",  # of the kinds that Python takes for one another
        f"{ACTOR}.entropy_coeff=0.001",  # verl's own is a whole number
        f"{ROLLOUT}.top_p=0.9",
        "trainer.total_training_steps=null",
        "trainer.experiment_name=20261126",
    ],
)
def test_a_value_of_a_kind_that_verl_takes_passes(refused, override):
    assert refused(override) == []


def test_a_batch_by_tokens_need_not_divide(refused):
    alone = ("trainer.n_gpus_per_node=2", f"{ROLLOUT}.n=1", f"{ACTOR}.use_kl_loss=false")
    uneven = (*alone, "data.train_batch_size=5", f"{ACTOR}.ppo_mini_batch_size=4")
    assert refused(*uneven, f"{ACTOR}.use_dynamic_bsz=true") == []  # verl fills up
    by_number = refused(*uneven, f"{ACTOR}.ppo_micro_batch_size_per_gpu=1")
    assert any("can't be shared among 2 ranks; 6 prompts can" in line for line in by_number)


def test_the_platform_is_named_in_two_places(refused, monkeypatch):
    monkeypatch.delenv("VERL_PLATFORM")
    assert refused() == [
        "trainer.device=cpu needs VERL_PLATFORM=cpu in the environment of the command"
    ]
    monkeypatch.setenv("VERL_PLATFORM", "cpu")
    gpus = ("platform=gpu", "trainer.n_gpus_per_node=2", f"{ROLLOUT}.tensor_model_parallel_size=2")
    (line,) = refused(*gpus)
    assert line.startswith("VERL_PLATFORM=cpu is set, and trainer.device=cuda")


def test_a_trainer_mode_that_nobody_registers(refused, monkeypatch):
    monkeypatch.delenv("VERL_PLATFORM")  # verl's trainers are imported, where it would count
    lines = refused("trainer.v1.trainer_mode=dianjin_async")
    assert any(
        "trainer_mode=dianjin_async is not known" in e and "dianjin_sync" in e for e in lines
    )


def test_the_checkpoint_to_go_on_from_is_there(refused, tmp_path):
    mode, path = "trainer.resume_mode=resume_path", "trainer.resume_from_path"
    (line,) = refused(mode)
    assert line.startswith(f"{path}=None: expected a checkpoint's folder, global_step_N")
    folder = tmp_path / "global_step_20"
    (line,) = refused(mode, f"{path}={folder}")
    assert "there is no checkpoint" in line
    (folder / "actor").mkdir(parents=True)
    assert refused(mode, f"{path}={folder}") == []
    (line,) = refused(mode, f"{path}={folder}/")  # int("20/") fails in verl
    assert "without a / behind" in line


def test_settings_of_what_is_called_after_a_checkpoint(refused):
    callback = "trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave"
    assert refused(callback) == []
    (line,) = refused(callback, "trainer.merge_on_save.dtype=int8")
    assert line.startswith("trainer.merge_on_save.dtype is 'int8'")


def test_a_limit_on_batches_needs_filtering_and_a_trainer_that_heeds_it(refused):
    key, mode = "algorithm.filter_groups", "trainer.v1.trainer_mode"
    limit, on = f"{key}.max_num_gen_batches=10", f"{key}.enable=true"
    (line,) = refused(limit)
    assert line == f"{limit} has no effect without {on}"
    (line,) = refused(limit, on, f"{mode}=sync")
    assert line.startswith(limit) and line.endswith(f"use {mode}=dianjin_sync")
    assert refused(limit, on) == refused(on, f"{mode}=sync") == []


def test_what_fsdp1_cannot_do_on_the_cpu(refused, monkeypatch):
    fsdp1 = (f"{ACTOR}.strategy=fsdp", f"{ACTOR}.fsdp_config.strategy=fsdp")
    without = f"{ACTOR}.checkpoint.save_contents=[model]"
    (line,) = refused(*fsdp1)
    assert "save_contents: FSDP1 can't gather hf_model" in line and "strategy=fsdp2" in line
    assert refused(*fsdp1, without) == []
    lora = "actor_rollout_ref.model.lora_rank=8"
    (line,) = refused(*fsdp1, without, lora)
    assert line.startswith("actor_rollout_ref.model.lora.merge=false: with FSDP1 on the CPU")
    assert refused(lora, without) == []
    assert refused(*fsdp1, "trainer.save_freq=-1") == []
    monkeypatch.delenv("VERL_PLATFORM")
    gpus = ("platform=gpu", "trainer.n_gpus_per_node=2", f"{ROLLOUT}.tensor_model_parallel_size=2")
    assert refused(*gpus, *fsdp1, without, lora) == []


def test_every_data_source_needs_a_reward(refused, tmp_path):
    unknown = write(tmp_path / "unknown.parquet", data_source="desk/notes")
    kwargs = "+reward.custom_reward_function.reward_kwargs"
    for key in ("train_files", "val_files"):
        (line,) = refused(f"data.{key}={unknown}")
        assert line.startswith(f"{unknown}: data_source 'desk/notes' has no reward")
    assert refused(f"data.val_files={unknown}", f"{kwargs}.default=cflue_mcq") == []
    assert refused(f"data.val_files={unknown}", f"{kwargs}.reward=cflue_mcq") == []
    named = f"{kwargs}.sources={{desk/notes: {{reward: cflue_mcq}}}}"
    assert refused(f"data.val_files={unknown}", named) == []


def test_verls_own_rewards_do_not_know_the_sources_of_this_package(refused, tmp_path):
    lines = refused("reward.custom_reward_function.path=null")
    assert [line.partition(": ")[2][:50] for line in lines] == [
        "verl's own rewards don't know data_source 'cflue_m"
    ]
    theirs = write(tmp_path / "gsm8k.parquet", data_source="openai/gsm8k")
    files = (f"data.train_files={theirs}", f"data.val_files={theirs}")
    assert refused("reward.custom_reward_function.path=null", *files) == []


def test_a_function_of_the_users_own_grades_what_it_likes(refused, tmp_path, varied_reward):
    unknown = write(tmp_path / "unknown.parquet", data_source="desk/notes")
    own = [
        f"reward.custom_reward_function.path={varied_reward}",
        "~reward.custom_reward_function.reward_kwargs",
    ]
    assert refused(f"data.val_files={unknown}", *own) == []
    broken = tmp_path / "broken.py"
    broken.write_text("import no_such_package\n")
    (line,) = refused(f"reward.custom_reward_function.path={broken}", *own[1:])
    assert "ModuleNotFoundError" in line and str(broken) in line


@pytest.mark.parametrize("column", ["data_source", "prompt", "reward_model"])
def test_a_missing_column_is_named(refused, tmp_path, column):
    path = write(tmp_path / "rows.parquet", **{column: None})
    (line,) = refused(f"data.val_files={path}")
    assert f"has no column '{column}'" in line and str(path) in line


def test_the_prompt_may_have_another_name(refused, tmp_path):
    path = write(tmp_path / "rows.parquet", prompt=None, question=[{"role": "user"}])
    assert (
        refused(f"data.val_files={path}", f"data.train_files={path}", "data.prompt_key=question")
        == []
    )


def test_files_that_cannot_be_read(refused, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_text("not parquet")
    assert "can't be read as parquet" in refused(f"data.val_files={broken}")[0]
    table = tmp_path / "rows.csv"
    table.write_text("a,b\n")
    assert ".parquet, .json and .jsonl only" in refused(f"data.val_files={table}")[0]
    empty = tmp_path / "empty.parquet"
    parquet.write_table(pa.table({"data_source": pa.array([], pa.string())}), empty)
    assert "has no rows" in refused(f"data.val_files={empty}")[0]


def test_a_folder_that_is_no_model(refused, tiny_model, tmp_path):
    def line(folder):
        (line,) = refused(f"actor_rollout_ref.model.path={folder}")
        return line

    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    assert "1 weight files are missing" in line(folder)
    index.unlink()
    other = folder / "pytorch_model.bin.index.json"  # often downloaded without its weights
    other.write_text(json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}))
    assert refused(f"actor_rollout_ref.model.path={folder}") == []
    other.unlink()
    (folder / "tokenizer.json").unlink()
    assert "has no tokenizer" in line(folder)
    (folder / "model.safetensors").unlink()
    assert "has no weights" in line(folder)
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text("{}")
    assert "a LoRA adapter" in line(folder)


def start(command, folder, tiny_model, **knobs):
    """Start a run in the way of a user; return what it printed once it ended with 1."""
    environment = os.environ | {
        "VERL_PLATFORM": "cpu",
        "PLATFORM": "cpu",
        "MODEL": str(tiny_model),
        "RAY_TMPDIR": str(folder / "ray"),
        "LOG": str(folder / "run.log"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    (folder / "ray").mkdir(exist_ok=True)
    done = subprocess.run(
        [*command, f"hydra.run.dir={folder}/hydra"],
        env=environment | knobs,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert not list((folder / "ray").iterdir())  # Ray never started
    assert "Traceback" not in done.stdout + done.stderr
    assert "ray init" not in done.stdout
    return done.stdout + done.stderr


@pytest.mark.slow
def test_the_script_is_refused_before_ray_with_all_mistakes(tiny_model, tiny_data, tmp_path):
    unknown = write(tmp_path / "unknown.parquet", data_source="desk/notes")
    errors = start(
        ["bash", str(ROOT / "examples" / "grpo_7b.sh"), "data.train_batch_size=7"],
        tmp_path,
        tiny_model,
        MODEL="missing/model/folder",
        TRAIN_FILES=str(unknown),
        VAL_FILES=f"{tiny_data}/val.parquet",
    )
    assert "data_source 'desk/notes' has no reward" in errors
    assert "ppo_mini_batch_size=256 is above data.train_batch_size=7" in errors
    assert "model.path=missing/model/folder: no such folder" in errors


@pytest.mark.slow
def test_a_users_own_command_is_refused_too(tiny_model, tiny_data, tmp_path):
    errors = start(
        [
            *(sys.executable, "-m", "verl.trainer.main_ppo"),
            f"hydra.searchpath=[file://{ROOT}/configs]",
            "+platform=cpu",
            f"data.train_files={tiny_data}/none.parquet",
            f"data.val_files={tiny_data}/val.parquet",
            f"actor_rollout_ref.model.path={tiny_model}",
        ],
        tmp_path,
        tiny_model,
    )
    assert f"data.train_files={tiny_data}/none.parquet: no such file" in errors
