"""Sizes that differ between made-up and real questions."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Sizes:
    """Of the tiny model, of what it reads and writes, and of its training.

    Attributes:
        vocabulary: Tokens.
        max_response: Tokens of a response.
        sft: Words for LLaMA-Factory, after the recipe's.
        rl: Words for verl, after the recipe's.
    """

    vocabulary: int
    max_response: int = 96
    sft: tuple[str, ...] = ()
    rl: tuple[str, ...] = ()


WORLD: Final = Sizes(vocabulary=1200)
# Longer questions in a wide vocabulary, few rows: enough to learn the format, not the answers.
PUBLISHED: Final = Sizes(
    vocabulary=4096,
    max_response=192,
    sft=("cutoff_len=704", "max_steps=400"),
    rl=(
        "data.max_prompt_length=512",
        "data.max_response_length=192",
        "data.train_batch_size=16",
        "actor_rollout_ref.actor.ppo_mini_batch_size=16",
        "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=8",
        "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=8",  # of one response a prompt
        "trainer.total_training_steps=10",
    ),
)

QUESTIONS: Final = {"fin_r1": 4500}
"""Made up for training, by recipe; 3,000 for the others. Two filters leave Fin-R1 a third."""

OPEN: Final = {"fin_r1": "finance_instruct", "fino1": "tatqa", "deepseek_r1": "general"}
"""Recipe to the file of its pipeline that is made of open questions, which a judge decides."""

OPEN_QUESTIONS: Final = {"deepseek_r1": 300}
"""Made up for training, by recipe; 1,000 for the others.

DeepSeek-R1's last RL has them all, and of the rest those that its checkpoint has right at times.
"""

RESPONSES: Final = {"fino1": 168}
"""Tokens of a made-up response, by recipe, as in configs/tiny: two thoughts are longer than one."""

SFT: Final = dict.fromkeys(("dianjin_r1", "fino1"), ("max_steps=500",))
"""Words for LLaMA-Factory before those of the sizes, by recipe.

After 350 steps some titles are still copied wrongly into the thought, or its letters gathered
wrongly, with Fino1's rows of two thoughts a fifth of them, and RL is slow to teach either.
"""

BELIEF: Final = 0.8
"""How often the teacher, or who wrote raw text, puts what it doesn't know to one wrong element."""

BELIEFS: Final = {"fin_r1": 1.0}
"""That of the teacher, by recipe, where it is another.

A lucky guess stands in Fin-R1's SFT set alone, and would teach there what is left to RL.
"""

PRETRAINED: Final = ("fin_r1",)
"""Recipes whose filters leave so little about some made-up titles that SFT alone wouldn't teach to
write them: their base model has read raw text, as that of a recipe which begins with RL."""

# words for a recipe's pipelines, beside the questions
DATA: Final[dict[str, tuple[str, ...]]] = {
    "dianjin_r1": ("steps.set.sft={cflue_mcq: 1500, cflue_oe: 284}",),  # the paper's proportion
    "fin_r1": ("steps.set.rl_from=unsolved",),  # also what the teacher answered wrongly
    "fino1": ("steps.paths.rounds=1",),  # a thought and at most one that takes it up again
}
