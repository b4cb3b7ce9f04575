"""The reward manager `dianjin`: `reward.reward_manager.name=dianjin`.

Next to verl's own `naive` it never loses a rollout to an exception, a hang or a NaN, gives the
same keys on every row, and tells the reward function how long prompt and response are in tokens.
"""

import asyncio
import logging
from typing import Any

from verl import DataProto
from verl.experimental.reward_loop.reward_manager import register
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase
from verl.utils.reward_score import default_compute_score

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.failures import Failures
from dianjin_ext.hosts.verl.guard import Guard, GuardSettings, RewardFailure
from dianjin_ext.hosts.verl.rows import Rows
from dianjin_ext.hosts.verl.stop import ask_to_stop

__all__ = ["DianjinRewardManager"]

logger = logging.getLogger(__name__)


@register("dianjin")
class DianjinRewardManager(RewardManagerBase):
    """Scores one response at a time with `reward.custom_reward_function`.

    The function is called as verl's `naive` manager calls it, and finds in `extra_info` also
    `prompt_tokens`, `response_tokens` and `max_response_tokens` (int, tokens) and `truncated`
    (bool: the response reached the limit without an end-of-sequence token). verl does not tell a
    manager whether a response belongs to training or validation; put a `split` into the row's
    `extra_info` if the reward needs it.

    Its settings, under `reward.reward_kwargs`, are described at `guard.GuardSettings`. A response
    whose function fails gets `failure_score`, `acc` 0 and the reason `timeout` or `error` (it
    raised, or gave no finite score). A data source whose function fails on 64 responses in a row,
    within one process, ends the run, in the trainer modes `dianjin_*`.
    """

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        self.settings = GuardSettings.from_config(config.reward.get("reward_kwargs"))
        self.guard = Guard(compute_score or default_compute_score, self.settings)
        self.max_response_tokens = int(config.actor_rollout_ref.rollout.response_length)
        self.rows = Rows()
        self.failures = Failures()
        self._told: set[str] = set()
        self._reward_model: dict[str, Any] = {}
        if reward_router_address is not None:
            self._reward_model = {
                "reward_router_address": reward_router_address,
                "reward_model_tokenizer": reward_model_tokenizer,
            }

    async def run_single(self, data: DataProto) -> dict[str, Any]:
        """Score the last sequence of `data` (one trajectory, of one or more sequences).

        Returns:
            `reward_score` (a finite float) and `reward_extra_info` (the same keys every time).
        """
        item = data[-1]
        try:
            row = self.rows.scored(await self.guard(**await self._arguments(item)))
            self._tell_ignored()
            self.failures.graded(str(item.non_tensor_batch.get("data_source")))
        except Exception as error:
            reason = error.reason if isinstance(error, RewardFailure) else "error"
            self._tell_failure(reason, error, item)
            row = self.rows.failed(reason, self.settings.failure_score)
        return {"reward_score": row["score"], "reward_extra_info": row}

    async def _arguments(self, item: Any) -> dict[str, Any]:
        fields = item.non_tensor_batch
        prompt_tokens, response_tokens = _lengths(item)
        ids = item.batch["responses"][:response_tokens]
        text = await asyncio.to_thread(self.tokenizer.decode, ids, skip_special_tokens=True)
        ended = response_tokens > 0 and int(ids[-1]) == self.tokenizer.eos_token_id
        extra_info = {
            **(fields.get("extra_info") or {}),
            **(fields.get("tool_extra_fields") or {}),
            "num_turns": fields.get("__num_turns__"),
            "rollout_reward_scores": fields.get("reward_scores", {}),
            "prompt_tokens": prompt_tokens,
            "response_tokens": response_tokens,
            "max_response_tokens": self.max_response_tokens,
            "truncated": response_tokens >= self.max_response_tokens and not ended,
        }
        return {
            "data_source": str(fields["data_source"]),
            "solution_str": text,
            "ground_truth": fields["reward_model"]["ground_truth"],
            "extra_info": extra_info,
            **self._reward_model,
        }

    def _tell_failure(self, reason: str, error: Exception, item: Any) -> None:
        fields = item.non_tensor_batch
        note = (
            f"Row with index {fields.get('index')}; scored {self.settings.failure_score:g}, with "
            f"the reason {reason!r}."
        )
        try:
            self.failures.failed(
                str(fields.get("data_source")), error.__cause__ or error, note=note
            )
        except DianjinError as stop:
            logger.error("%s", stop)
            ask_to_stop(str(stop))

    def _tell_ignored(self) -> None:
        for key in self.rows.ignored - self._told:
            self._told.add(key)
            logger.warning(
                "The reward function returned %r with a value that verl cannot log (expected a "
                "finite number or a string, of the same kind on every row, and no key named "
                "'reward'); it is dropped or replaced from now on.",
                key,
            )


def _lengths(item: Any) -> tuple[int, int]:
    """Return the number of tokens of prompt and response, without padding."""
    fields = item.non_tensor_batch
    if "response_len" in fields:  # trajectories of several sequences: the mask is not aligned
        return int(fields["prompt_len"]), int(fields["response_len"])
    mask = item.batch["attention_mask"]
    prompt_width = item.batch["prompts"].shape[-1]
    return int(mask[:prompt_width].sum()), int(mask[prompt_width:].sum())
