"""verl's FSDP and FSDP2 engines on the CPU: of a policy, and of a critic.

Imported when verl's own engines are (`dianjin_ext.hosts.verl.plugin`). The key that verl has for
it, `model.external_lib`, is read where the configuration is: a critic's process never is told.
"""

import dataclasses
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FullyShardedDataParallel
from transformers import AutoModelForTokenClassification
from verl.utils import model as verl_model
from verl.workers.engine.base import EngineRegistry
from verl.workers.engine.fsdp import transformer_impl
from verl.workers.engine.fsdp.transformer_impl import (
    FSDPEngineWithLMHead,
    FSDPEngineWithValueHead,
)

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.cpu import responses

__all__ = ["CPUEngineWithLMHead", "CPUEngineWithValueHead"]


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


class _OnCPU:
    """Goes in front of one of verl's engines."""

    engine_config: Any

    def _build_fsdp_module(self, module: torch.nn.Module) -> Any:
        # For a reference model (forward_only) verl forces offloading into pinned memory. Pinning
        # needs an accelerator, and the weights are in main memory as it is.
        config = self.engine_config
        self.engine_config = dataclasses.replace(config, forward_only=False, offload_policy=False)
        build = super()._build_fsdp_module  # type: ignore[misc]
        try:
            if config.strategy != "fsdp":
                return build(module)
            _send_weights(module)
            with mock.patch.object(transformer_impl, "FSDP", _FSDP1):
                return build(module)
        finally:
            self.engine_config = config


@EngineRegistry.register(model_type="language_model", backend=["fsdp", "fsdp2"], device="cpu")
class CPUEngineWithLMHead(_OnCPU, FSDPEngineWithLMHead):
    """The language-model engine, sharded over processes that have no accelerator."""

    def prepare_model_inputs(self, micro_batch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what to call the model with; see `responses`."""
        inputs, args = super().prepare_model_inputs(micro_batch)
        args["aligned"] = responses.can_align(self.module, inputs, micro_batch)
        return responses.align(inputs, micro_batch) if args["aligned"] else inputs, args

    def prepare_model_outputs(
        self, output: Any, output_args: dict[str, Any], micro_batch: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Return log-probabilities and, where asked for, entropies."""
        if output_args["aligned"]:
            return responses.outputs(output.logits, output_args, micro_batch)
        return dict(
            super().prepare_model_outputs(output, output_args, micro_batch, *args, **kwargs)
        )

    def forward_step(self, micro_batch: Any, loss_function: Any, forward_only: bool) -> Any:
        """Compute the loss of a micro-batch."""
        if not forward_only:
            micro_batch = responses.with_gradient(micro_batch, loss_function)
        return super().forward_step(micro_batch, loss_function, forward_only)


@EngineRegistry.register(model_type="value_model", backend=["fsdp", "fsdp2"], device="cpu")
class CPUEngineWithValueHead(_OnCPU, FSDPEngineWithValueHead):
    """The engine of a critic: one value a token, by a head of its own."""

    def _build_module(self) -> Any:
        with mock.patch.object(verl_model, "load_valuehead_model", _load_critic):
            return super()._build_module()


def _load_critic(
    local_path: str, torch_dtype: torch.dtype, model_config: Any, trust_remote_code: bool
) -> Any:
    """Load a model with a value head; where the folder has none, one that says zero everywhere.

    One drawn at random, as verl's is, says anything from -1 to 1 in its first steps, and an
    advantage is what a reward has over that: the policy forgets the format before the head learns.

    verl's own loader asks for FlashAttention, whatever `override_config.attn_implementation` says;
    without it, it reports that trl is missing.
    """
    try:
        critic, loaded = AutoModelForTokenClassification.from_pretrained(
            local_path,
            dtype=torch_dtype,
            config=model_config,  # it says which attention
            trust_remote_code=trust_remote_code,
            output_loading_info=True,
        )
    except ValueError as error:
        raise DianjinError(
            f"critic.model.path={local_path}: transformers has no token classifier for models of "
            f"type {model_config.model_type}, so it can't become a critic on the CPU"
        ) from error
    for name in loaded["missing_keys"]:
        if name.startswith(f"{critic.base_model_prefix}."):
            raise DianjinError(
                f"critic.model.path={local_path}: there is no weight {name}, so it can't be trained"
            )
        torch.nn.init.zeros_(critic.get_parameter(name))
    return critic
