"""Platform `cpu`: what verl asks of a device, answered without one."""

# ruff: noqa: D102  (the methods are documented in verl's PlatformBase)

import os
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from verl.plugin.platform import PlatformBase, PlatformRegistry

__all__ = ["CPUPlatform"]


class _DeviceModule(types.ModuleType):
    """`torch.cpu` and those calls on a `torch.<device>` module that verl makes and it lacks."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)

    def is_available(self) -> bool:
        return False  # verl's memory helpers (verl.utils.memory_utils) then do nothing

    def device_count(self) -> int:
        return 1

    def get_device_name(self, *_: Any) -> str:
        return "CPU"  # verl.utils.flops_counter knows this name

    def set_device(self, *_: Any) -> None: ...

    def synchronize(self, *_: Any) -> None: ...

    def empty_cache(self) -> None: ...

    def ipc_collect(self) -> None: ...

    def reset_peak_memory_stats(self, *_: Any) -> None: ...

    def memory_allocated(self, *_: Any) -> int:
        return 0

    memory_reserved = max_memory_allocated = max_memory_reserved = memory_allocated

    def mem_get_info(self, *_: Any) -> tuple[int, int]:
        return 0, 0

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def get_rng_state(self, *_: Any) -> torch.Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: torch.Tensor, *_: Any) -> None:
        torch.set_rng_state(state)


class _DeviceId(str):
    """A device that `.to()` reads as "cpu" and an f-string as "0".

    verl passes the current device to `.to()` and also writes `f"{device_name}:{device_id}"`
    (verl.utils.fsdp_utils.load_fsdp_model_to_gpu).
    """

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return format("0", spec)


_DEVICE_MODULE = _DeviceModule("dianjin_ext_cpu_device")
_DEVICE_ID = _DeviceId("cpu")


@PlatformRegistry.register(platform="cpu")
class CPUPlatform(PlatformBase):
    """verl's view of the CPU; only ever chosen by `VERL_PLATFORM=cpu`."""

    device_name = "cpu"
    vendor_name = "cpu"

    @property
    def device_module(self) -> types.ModuleType:
        return _DEVICE_MODULE

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        return False  # never found by auto-detection

    def current_device(self) -> str:
        return _DEVICE_ID

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None: ...

    def synchronize(self, device_index: int | None = None) -> None: ...

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def set_allocator_settings(self, settings: str) -> None: ...

    def empty_cache(self) -> None: ...

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        # verl goes on to open the group "cpu:gloo,cpu:<this>", and torch refuses a device named
        # twice. It leaves a group alone that is already open, so open it here.
        if not dist.is_initialized() and {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys():
            dist.init_process_group("gloo")
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None: ...

    def profiler_stop(self) -> None: ...

    def ray_resource_name(self) -> str:
        # verl counts only "GPU" and "NPU" when it places workers; ray.init(num_gpus=N) declares
        # N logical ones.
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> None:
        return None
