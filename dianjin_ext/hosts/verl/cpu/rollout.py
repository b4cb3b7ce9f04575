"""Rollout `transformers_cpu`: each replica is one Ray actor that samples with transformers."""

import asyncio
import copy
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

import ray
import torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from transformers import AutoModelForCausalLM
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.config import HFModelConfig, RolloutConfig
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from dianjin_ext.hosts.verl.cpu.adapter import weights_with_adapter
from dianjin_ext.inference import attention
from dianjin_ext.inference.sampling import Request, Response, generate

__all__ = ["Replica", "Server", "ServerAdapter", "server_name"]

# A batch is closed when no request has come in for this long. A training step's requests arrive
# as one burst, and one batch of them all is sampled faster than several.
_QUIET_SECONDS = 0.03

_Waiting = tuple[Request, asyncio.Future[Response]]


def server_name(replica_rank: int, suffix: str = "") -> str:
    """Name of the Ray actor that serves a replica."""
    return f"transformers_cpu_server_{replica_rank}{suffix}"


class Server:
    """Samples responses with the weights it was last sent.

    Responses depend on the seed of the rollout, the replica, the version of the weights, the
    prompt, and how many times that prompt was asked for before; not on the order of requests.
    """

    def __init__(self, config: Any, model_config: Any, replica_rank: int):
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._config: RolloutConfig = omega_conf_to_dataclass(config, dataclass_type=RolloutConfig)
        model: HFModelConfig = omega_conf_to_dataclass(model_config, dataclass_type=HFModelConfig)
        how = {"dtype": torch.float32, "attn_implementation": "sdpa"}
        if "dummy" in self._config.load_format:  # the trainer sends all weights
            given = AutoModelForCausalLM.from_config(model.hf_config, **how)
        else:  # of a model with a LoRA adapter it sends the adapter alone
            given = AutoModelForCausalLM.from_pretrained(
                model.local_path, config=model.hf_config, **how
            )
        self._model = given.eval()
        attention.use(self._model)
        self._base: Any = None  # the model without the adapter, where there is one
        eos = getattr(model.generation_config, "eos_token_id", None)
        eos = model.tokenizer.eos_token_id if eos is None else eos
        self._eos_ids: list[int] = list(eos) if isinstance(eos, (list, tuple)) else [eos]
        self._replica_rank = replica_rank
        self._version: int | None = None
        self._loaded = False
        self._asked: Counter[tuple[int, ...]] = Counter()
        self._waiting: list[_Waiting] = []
        self._sampler: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()

    async def generate(
        self,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        request_id: str,
        image_data: Any = None,
        video_data: Any = None,
        **_: Any,
    ) -> TokenOutput:
        """Sample one response to `prompt_ids`; waits for the batch that it becomes part of.

        Raises:
            RuntimeError: No weights have been sent yet.
            ValueError: The request asks for something that this rollout can't do.
        """
        if not self._loaded:
            raise RuntimeError("the rollout was asked for a response before it had any weights")
        if image_data or video_data:
            raise ValueError("the rollout transformers_cpu takes text only")
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._request(prompt_ids, sampling_params), future))
        if self._sampler is None or self._sampler.done():
            self._sampler = asyncio.create_task(self._sample_waiting())
        response = await future
        return TokenOutput(
            token_ids=response.tokens,
            log_probs=response.log_probs if sampling_params.get("logprobs") else None,
            stop_reason="completed" if response.finished else "length",
            extra_fields={"global_steps": self._version},
        )

    async def generate_batch(
        self, prompts: list[list[int]], sampling_params: list[dict[str, Any]]
    ) -> list[TokenOutput]:
        """Sample one response to each of `prompts`; see `generate`."""
        requests = zip(prompts, sampling_params, strict=True)
        return await asyncio.gather(*[self.generate(ids, params, "") for ids, params in requests])

    def _request(self, prompt_ids: list[int], params: dict[str, Any]) -> Request:
        if params.get("repetition_penalty", 1.0) != 1.0:
            raise ValueError("the rollout transformers_cpu has no repetition_penalty")
        prompt = tuple(int(token) for token in prompt_ids)
        copy = self._asked[prompt]
        self._asked[prompt] += 1
        limit = (
            params.get("max_tokens") or params.get("max_new_tokens") or self._config.response_length
        )
        return Request(
            prompt=prompt,
            max_tokens=max(1, min(int(limit), self._config.response_length)),
            temperature=float(params.get("temperature", 1.0)),
            top_k=int(params.get("top_k", -1)),
            top_p=float(params.get("top_p", 1.0)),
            seed=f"{self._config.seed}/{self._replica_rank}/{self._version}/{copy}",
        )

    async def _sample_waiting(self) -> None:
        while self._waiting:
            seen = 0
            while len(self._waiting) > seen:
                seen = len(self._waiting)
                await asyncio.sleep(_QUIET_SECONDS)
            async with self._busy:
                waiting, self._waiting = self._waiting, []
                for batch in self._batches(waiting):
                    await self._sample(batch)

    def _batches(self, waiting: list[_Waiting]) -> list[list[_Waiting]]:
        """Split into batches of like sampling parameters and at most `max_num_seqs` rows."""
        alike: dict[tuple[float, int, float], list[_Waiting]] = {}
        for item in waiting:
            request = item[0]
            alike.setdefault((request.temperature, request.top_k, request.top_p), []).append(item)
        size = self._config.max_num_seqs
        return [rows[i : i + size] for rows in alike.values() for i in range(0, len(rows), size)]

    async def _sample(self, batch: list[_Waiting]) -> None:
        try:
            responses = await asyncio.to_thread(
                generate, self._model, [request for request, _ in batch], eos_ids=self._eos_ids
            )
        except Exception as error:  # every waiter must hear of it, or the step would never end
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), response in zip(batch, responses, strict=True):
            future.set_result(response)

    async def load_weights(self, weights: dict[str, torch.Tensor], version: int | None) -> None:
        """Replace every weight of the model; waits until the batch being sampled is done."""
        async with self._busy:
            result = self._model.load_state_dict(weights, strict=False)
            tied = set(getattr(self._model, "all_tied_weights_keys", None) or ())
            missing = set(result.missing_keys) - tied
            if missing or result.unexpected_keys:
                raise RuntimeError(
                    f"weights don't fit the rollout's model: missing {sorted(missing)}, "
                    f"unexpected {sorted(result.unexpected_keys)}"
                )
            self._base = None
            self._loaded_now(version)

    async def load_adapter(
        self, adapter: dict[str, torch.Tensor], config: dict[str, Any], version: int | None
    ) -> None:
        """Sample from the weights last loaded with this LoRA adapter in them; see `load_weights`.

        Arguments are as for `weights_with_adapter`.
        """
        async with self._busy:
            if self._base is None:
                self._base = copy.deepcopy(self._model)
            self._model.load_state_dict(weights_with_adapter(self._base, config, adapter))
            self._loaded_now(version)

    def _loaded_now(self, version: int | None) -> None:
        self._loaded = True
        self._version = version
        self._asked.clear()

    async def ready(self) -> int:
        """Return the process id; answers once the model is built."""
        return os.getpid()

    # What else verl calls on a server. There is no accelerator memory to give back.
    async def wake_up(self, tags: Any = None) -> None: ...  # noqa: D102
    async def sleep(self) -> None: ...  # noqa: D102
    async def abort_all_requests(self, reject_request: bool = False) -> None: ...  # noqa: D102
    async def resume_generation(self) -> None: ...  # noqa: D102
    async def clear_kv_cache(self) -> None: ...  # noqa: D102
    async def release_kv_cache(self) -> None: ...  # noqa: D102
    async def resume_kv_cache(self) -> None: ...  # noqa: D102
    async def start_profile(self, **_: Any) -> None: ...  # noqa: D102
    async def stop_profile(self) -> None: ...  # noqa: D102


class Replica(RolloutReplica):
    """Starts the server of one replica."""

    async def launch_servers(self) -> None:
        """Start the server beside the training workers and wait until it is ready."""
        server = (
            ray.remote(Server)
            .options(
                name=server_name(self.replica_rank, self.name_suffix),
                num_cpus=0,
                max_concurrency=self.max_concurrency,
                scheduling_strategy=NodeAffinitySchedulingStrategy(
                    node_id=ray.get_runtime_context().get_node_id(), soft=False
                ),
            )
            .remote(self.config, self.model_config, self.replica_rank)
        )
        pid = await server.ready.remote()
        self.servers = [server]
        self._server_handle = server
        self._server_address = f"transformers_cpu-{self.replica_rank}-pid{pid}"


class ServerAdapter(BaseRollout):
    """Lives in each training worker; the first of a replica sends its server the weights."""

    def __init__(self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1):
        super().__init__(config, model_config, device_mesh)
        size = self.config.tensor_model_parallel_size * self.config.data_parallel_size
        rank = int(os.environ["RANK"])
        self._replica_rank = rank // size if replica_rank == -1 else replica_rank
        self._is_sender = rank % size == 0
        self._server: Any = None

    async def resume(self, tags: list[str]) -> None:
        """Do nothing: the weights stay in memory."""

    async def release(self) -> None:
        """Do nothing: the weights stay in memory."""

    @torch.no_grad()
    async def update_weights(
        self,
        weights: Iterable[tuple[str, torch.Tensor]],
        wire_format: str = "named_tensors",
        global_steps: int | None = None,
        peft_config: dict[str, Any] | None = None,
        base_sync_done: bool = False,
        **_: Any,
    ) -> None:
        """Send weights to the server.

        Without `peft_config` they are those of the whole model. With it they are those below a
        LoRA adapter first, unless the server has them (`base_sync_done`), and then the adapter's.

        Raises:
            ValueError: `wire_format` is not `named_tensors`.
        """
        if wire_format != "named_tensors":
            raise ValueError(f"the rollout transformers_cpu takes named_tensors, not {wire_format}")
        # Every rank walks through the weights: gathering a sharded tensor is a collective.
        state = {
            name: tensor.detach().to("cpu", torch.float32, copy=True) for name, tensor in weights
        }
        if not self._is_sender:
            return
        if self._server is None:
            self._server = ray.get_actor(server_name(self._replica_rank))
        if peft_config is None:
            await self._server.load_weights.remote(state, global_steps)
        elif base_sync_done:
            await self._server.load_adapter.remote(state, peft_config, global_steps)
        else:  # verl names them for a model of vLLM that has the adapter's layers
            base = {name.replace(".base_layer.", "."): weight for name, weight in state.items()}
            await self._server.load_weights.remote(base, global_steps)
