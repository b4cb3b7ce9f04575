"""verl's FSDP and FSDP2 engines on the CPU.

verl imports this module through `actor_rollout_ref.model.external_lib`.
"""

import dataclasses
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FullyShardedDataParallel
from verl.workers.engine.base import EngineRegistry
from verl.workers.engine.fsdp import transformer_impl
from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead

__all__ = ["CPUEngineWithLMHead"]


class _FSDP1(FullyShardedDataParallel):
    """FSDP1 with the two arguments left out that it refuses for CPU tensors.

    verl asks rank 0 to send the others its weights while wrapping; `_send_weights` has done it.
    """

    def __init__(self, module: torch.nn.Module, *args: Any, **kwargs: Any):
        kwargs.update(sync_module_states=False, param_init_fn=None)
        super().__init__(module, *args, **kwargs)


@torch.no_grad()
def _send_weights(module: torch.nn.Module) -> None:
    """Give every rank the weights and buffers of rank 0, allocating what is still on `meta`."""
    for child in module.modules():
        for name, weight in child.named_parameters(recurse=False):
            if weight.is_meta:
                empty = torch.nn.Parameter(
                    torch.empty_like(weight, device="cpu"), requires_grad=weight.requires_grad
                )
                child.register_parameter(name, empty)
    for tensor in (*module.parameters(), *module.buffers()):
        if not tensor.is_meta:
            dist.broadcast(tensor.data, src=0)


@EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")
class CPUEngineWithLMHead(FSDPEngineWithLMHead):
    """The language-model engine, sharded over processes that have no accelerator."""

    engine_config: Any

    def _build_fsdp_module(self, module: torch.nn.Module) -> Any:
        # For a reference model (forward_only) verl forces offloading into pinned memory. Pinning
        # needs an accelerator, and the weights are in main memory as it is.
        config = self.engine_config
        self.engine_config = dataclasses.replace(config, forward_only=False, offload_policy=False)
        try:
            if config.strategy != "fsdp":
                return super()._build_fsdp_module(module)
            _send_weights(module)
            with mock.patch.object(transformer_impl, "FSDP", _FSDP1):
                return super()._build_fsdp_module(module)
        finally:
            self.engine_config = config
