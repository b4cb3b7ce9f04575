"""One batch from prompts to rewarded responses, instead of one actor call for each response.

verl runs an agent loop for every response: three calls between actors to generate it, one to
reward it and two to store it. With a model of a million parameters this costs more than the model.
Here a step's prompts go through each of these stages together. It knows single-turn text only:
`actor_rollout_ref.rollout.agent.agent_loop_manager_class=null` brings verl's own loops back.
"""

import asyncio
import copy
import itertools
import logging
import math
import time
from functools import partial
from typing import Any

import numpy as np
import ray
import torch
import transfer_queue as tq
from tensordict import NonTensorData, TensorDict  # type: ignore[import-untyped]
from verl import DataProto
from verl.experimental.agent_loop import AgentLoopOutput, AgentLoopWorker
from verl.experimental.agent_loop.agent_loop import AgentLoopMetrics
from verl.trainer.ppo.v1 import AgentLoopManagerTQ
from verl.utils.tensordict_utils import list_of_dict_to_tensordict
from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.cpu.rollout import server_name

__all__ = ["BatchAgentLoopManager", "BatchAgentLoopWorker"]

logger = logging.getLogger(__name__)

_Row = dict[str, Any]


class BatchAgentLoopWorker(AgentLoopWorker):
    """Generates, rewards and stores the responses to a batch of prompts."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.distillation_enabled:
            raise DianjinError("distillation needs verl's own agent loop, not the CPU's")
        tq.init()
        self._builder = create_continuous_token_builder(
            self.tokenizer,
            hf_model_type=self.hf_model_type,
            chat_template_kwargs=self.config.data.get("apply_chat_template_kwargs", {}),
            mm_processor_kwargs={},
            processor=None,
        )
        ranks = self.config.trainer.n_gpus_per_node * self.config.trainer.nnodes
        rollout = self.rollout_config
        replicas = ranks // (rollout.tensor_model_parallel_size * rollout.data_parallel_size)
        self._servers = [ray.get_actor(server_name(rank)) for rank in range(replicas)]
        self._tasks: set[asyncio.Task[None]] = set()

    async def generate_sequences(self, batch: TensorDict) -> None:
        """Start on the batch and return; its outcome goes into the transfer queue."""
        task = asyncio.create_task(self._run(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: TensorDict) -> None:
        prompts = _unstack(batch)
        validate = any(prompt.pop("validate", False) for prompt in prompts)
        partition = "val" if validate else "train"
        uids = [prompt["uid"] for prompt in prompts]
        try:
            await self._tell(uids, partition, "running")
            rows, params = self._rows(prompts, validate)
            outputs = await self._generate(rows, params)
            await self._score(rows, outputs)
            await self._store(rows, outputs, partition)
            await self._tell(uids, partition, "finished")
        except Exception:  # verl's trainer decides what becomes of a prompt that failed
            logger.exception("no responses to a batch of %d prompts", len(uids))
            await self._tell(uids, partition, "failure")

    @staticmethod
    async def _tell(uids: list[str], partition: str, status: str) -> None:
        await tq.async_kv_batch_put(
            keys=uids, partition_id=partition, tags=[{"status": status} for _ in uids]
        )

    def _rows(self, prompts: list[_Row], validate: bool) -> tuple[list[_Row], list[_Row]]:
        """Return one data row and one set of sampling parameters for each response to come."""
        rollout, val = self.rollout_config, self.rollout_config.val_kwargs
        chosen = val if validate else rollout
        rows, params = [], []
        for prompt in prompts:
            agent = prompt.pop("agent_name", rollout.agent.default_agent_loop)
            if agent != "single_turn_agent":
                raise DianjinError(
                    f"the CPU's agent loop is single_turn_agent, not {agent}; set "
                    "actor_rollout_ref.rollout.agent.agent_loop_manager_class=null"
                )
            greedy = not prompt.pop("__do_sample__", True) and not validate
            for session in range(prompt.pop("__rollout_n__", chosen.n)):
                rows.append(copy.deepcopy(prompt) | {"session_id": session})
                params.append(
                    {
                        "temperature": 0.0 if greedy else chosen.temperature,
                        "top_p": 1.0 if greedy else chosen.top_p,
                        "top_k": -1 if greedy else chosen.top_k,
                        "logprobs": rollout.calculate_log_probs,
                    }
                )
        return rows, params

    async def _generate(self, rows: list[_Row], params: list[_Row]) -> list[AgentLoopOutput]:
        started = time.perf_counter()
        prompts: dict[str, list[int]] = {}  # by uid: responses to one prompt share its tokens
        for row in rows:
            if row["uid"] not in prompts:
                ids = self._builder.build_initial_tokens(list(row["raw_prompt"]))
                prompts[row["uid"]] = ids[-self.rollout_config.prompt_length :]
        # All responses to a prompt come from one server, which computes the prompt once.
        order = {uid: i % len(self._servers) for i, uid in enumerate(prompts)}
        shares: list[list[int]] = [[] for _ in self._servers]
        for i, row in enumerate(rows):
            shares[order[row["uid"]]].append(i)
        answers = await asyncio.gather(
            *[
                server.generate_batch.remote(
                    [prompts[rows[i]["uid"]] for i in share], [params[i] for i in share]
                )
                for server, share in zip(self._servers, shares, strict=True)
                if share
            ]
        )
        of_row = dict(
            zip(itertools.chain(*shares), itertools.chain.from_iterable(answers), strict=True)
        )
        metrics = AgentLoopMetrics(generate_sequences=time.perf_counter() - started)
        return [
            AgentLoopOutput(
                prompt_ids=prompts[row["uid"]],
                response_ids=of_row[i].token_ids,
                response_mask=[1] * len(of_row[i].token_ids),
                response_logprobs=of_row[i].log_probs,
                num_turns=2,
                metrics=metrics,
                extra_fields={**of_row[i].extra_fields, "turn_scores": [], "tool_rewards": []},
            )
            for i, row in enumerate(rows)
        ]

    async def _score(self, rows: list[_Row], outputs: list[AgentLoopOutput]) -> None:
        workers = self.reward_loop_worker_handles
        if not workers:  # a reward model on the trainer's own ranks: verl scores later
            return
        started = time.perf_counter()
        size = math.ceil(len(rows) / len(workers))
        scores = await asyncio.gather(
            *[
                worker.compute_score_batch.remote(
                    _reward_batch(rows[i : i + size], outputs[i : i + size])
                )
                for worker, i in zip(workers, range(0, len(rows), size), strict=False)
            ]
        )
        seconds = time.perf_counter() - started
        for output, score in zip(outputs, itertools.chain.from_iterable(scores), strict=True):
            output.reward_score = score["reward_score"]
            output.extra_fields["reward_extra_info"] = score["reward_extra_info"]
            output.metrics.compute_score = seconds

    @staticmethod
    async def _store(rows: list[_Row], outputs: list[AgentLoopOutput], partition: str) -> None:
        """Put the rows where verl's trainer looks for them, as `AgentLoopWorkerTQ` does."""
        keys, fields, tags = [], [], []
        for row, output in zip(rows, outputs, strict=True):
            field = output.as_dict() | row
            ids = torch.cat([field["prompts"], field["responses"]])
            field["loss_mask"] = field["response_mask"]
            field["input_ids"] = ids
            field["position_ids"] = torch.arange(len(ids))
            field["multi_modal_inputs"] = {}
            version = output.extra_fields.get("global_steps")
            keys.append(f"{row['uid']}_{row['session_id']}_0")
            fields.append(field)
            tags.append(
                {
                    "status": "success",
                    "prompt_len": len(field["prompts"]),
                    "response_len": len(field["responses"]),
                    "seq_len": len(ids),
                    "global_steps": row["global_steps"],
                    "min_global_steps": version,
                    "max_global_steps": version,
                }
            )
        await tq.async_kv_batch_put(
            keys=keys,
            fields=list_of_dict_to_tensordict(fields),
            tags=tags,
            partition_id=partition,
        )


def _unstack(batch: TensorDict) -> list[_Row]:
    """Return the data rows of a batch of prompts."""
    rows: list[_Row] = [{} for _ in range(len(batch))]
    for name, column in batch.items():
        shared = isinstance(column, NonTensorData)  # one value for all rows
        for i, row in enumerate(rows):
            value = column if shared else column[i]
            row[name] = value if isinstance(value, torch.Tensor) else value.data
    return rows


def _reward_batch(rows: list[_Row], outputs: list[AgentLoopOutput]) -> DataProto:
    """What verl's reward managers expect: prompts padded on the left, responses on the right."""
    pad = partial(torch.nn.utils.rnn.pad_sequence, batch_first=True)
    prompts = [torch.tensor(output.prompt_ids) for output in outputs]
    responses = [torch.tensor(output.response_ids) for output in outputs]
    tensors = {
        "prompts": pad(prompts, padding_side="left"),
        "responses": pad(responses),
        "attention_mask": torch.cat(
            [
                pad([torch.ones_like(ids) for ids in prompts], padding_side="left"),
                pad([torch.ones_like(ids) for ids in responses]),
            ],
            dim=-1,
        ),
    }
    columns = {name: _column([row[name] for row in rows]) for name in rows[0]}
    columns["__num_turns__"] = np.array([output.num_turns for output in outputs])
    columns["tool_extra_fields"] = _column([output.extra_fields for output in outputs])
    columns["prompt_len"] = np.array([len(output.prompt_ids) for output in outputs])
    columns["response_len"] = np.array([len(output.response_ids) for output in outputs])
    return DataProto(batch=TensorDict(tensors, batch_size=len(rows)), non_tensor_batch=columns)


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    """An object array of one dimension, whatever the values are."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


class BatchAgentLoopManager(AgentLoopManagerTQ):
    """verl's manager with the workers above."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.agent_loop_workers_class = ray.remote(BatchAgentLoopWorker)
