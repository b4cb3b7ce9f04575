"""What is tested of the recipes: every stage, run on a CPU and composed at every size.

The tests are parametrized with these lists, and `scripts/recipe_table.py` writes them into the page
docs/recipes.md.
"""

from dataclasses import dataclass

from dianjin_ext.recipes import get_recipe, recipe_names

COMPOSED = "tests/recipes/test_composed.py"
RUN = "tests/e2e/test_recipes.py"


@dataclass(frozen=True)
class Tested:
    """What the tests do with a stage of a kind.

    Attributes:
        run: On a CPU, with a tiny model.
        composed: At a size for GPUs.
    """

    run: str
    composed: str


KINDS = {
    "data": Tested("`dianjin build`, beside a teacher", "`dianjin build --dry-run`"),
    "sft": Tested("LLaMA-Factory, two ranks", "LLaMA-Factory's parser"),
    "verifier": Tested("a tiny classifier, trained", "settings and labelled answers read"),
    "rl": Tested("verl, two ranks of FSDP2", "hydra, verl's checks and ours"),
    "merge": Tested("`dianjin merge` of two ranks", "`dianjin merge --dry-run` of all ranks"),
    "eval": Tested("`dianjin eval` of a folder", "settings, protocols, data and judge read"),
    "serve": Tested("the local server answers", "`examples/serve.sh`"),
}
"""By kind of stage; a new kind needs a line here, and a test of each sort."""

STAGES = [(name, stage) for name in recipe_names() for stage in get_recipe(name).stages]
"""What runs on a CPU."""

# What a run on a CPU begins with, and what it says to the programs after the quickstart's words.
QUESTIONS = 700
DATA_WORDS = ("steps.set.val_rows=16",)
SFT_WORDS = ("max_steps=120",)  # enough to be right at times, which RL and sampling need
RL_WORDS = (
    *("data.train_batch_size=8", "actor_rollout_ref.actor.ppo_mini_batch_size=8"),
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=4",
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=4",
    "critic.ppo_micro_batch_size_per_gpu=4",
    *("trainer.total_training_steps=1", "trainer.val_before_train=false", "trainer.test_freq=-1"),
    "trainer.critic_warmup=0",  # the only step is to change the policy
)

CELLS = [(name, stage, size) for name, stage in STAGES for size in get_recipe(name).base]
"""What is composed: each stage at each size that the recipe has a model of."""

METHOD_RECIPE = "deepseek_r1"  # it has models of all sizes
METHOD_SIZES = tuple(get_recipe(METHOD_RECIPE).base)
METHOD_STAGES = {
    "lora": ("sft", "rl", "merge"),
    "dapo": ("rl",),
    "gspo": ("rl",),
    "dr_grpo": ("rl",),
    "cispo": ("rl",),
    "tis": ("rl",),
    "qwen3": ("data", "sft", "rl"),
}
"""The stages that a method changes."""

METHOD_CELLS = [
    (method, stage, size)
    for method, stages in METHOD_STAGES.items()
    for stage in stages
    for size in METHOD_SIZES
]
RUN_RECIPE = "dianjin_r1"
TOGETHER = (("lora", "gspo"), ("qwen3", "cispo"), ("dapo", "tis"), ("dr_grpo",))
"""What runs together on a CPU: methods of different keys, since each run takes a minute or two."""

METHOD_RUNS = [
    (methods, stage)
    for methods in TOGETHER
    for stage in get_recipe(RUN_RECIPE).stages
    if any(stage in METHOD_STAGES[method] for method in methods)
]
MEGATRON = "none: Megatron trains on CUDA only"
