"""From what a model answered to a score: one grader for training, data and evaluation."""

from dianjin_ext.rewards.base import REASONS, Score, verdict, zero
from dianjin_ext.rewards.choice import score_choice
from dianjin_ext.rewards.components import Sample, component_names, register_component
from dianjin_ext.rewards.compose import gated, weighted
from dianjin_ext.rewards.exact import score_exact
from dianjin_ext.rewards.label import score_label
from dianjin_ext.rewards.language import language_share
from dianjin_ext.rewards.length import cosine_length, soft_overlong
from dianjin_ext.rewards.mathematics import score_math
from dianjin_ext.rewards.numeric import score_numeric
from dianjin_ext.rewards.policy import STRICTNESSES, Policy
from dianjin_ext.rewards.presets import PRESETS
from dianjin_ext.rewards.registry import register_reward, reward_names
from dianjin_ext.rewards.repetition import repetition_penalty
from dianjin_ext.rewards.score import compute_score, gold_response
from dianjin_ext.rewards.steps import step_share
from dianjin_ext.rewards.tatqa import score_tatqa

__all__ = [
    "PRESETS",
    "REASONS",
    "STRICTNESSES",
    "Policy",
    "Sample",
    "Score",
    "component_names",
    "compute_score",
    "cosine_length",
    "gated",
    "gold_response",
    "language_share",
    "register_component",
    "register_reward",
    "repetition_penalty",
    "reward_names",
    "score_choice",
    "score_exact",
    "score_label",
    "score_math",
    "score_numeric",
    "score_tatqa",
    "soft_overlong",
    "step_share",
    "verdict",
    "weighted",
    "zero",
]
