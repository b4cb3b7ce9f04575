"""The CPU platform against verl's registries."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("verl")

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
PROBE = """
import json
from verl.plugin.platform import PlatformRegistry
from verl.workers.engine import EngineRegistry
from verl.workers.rollout.base import _ROLLOUT_REGISTRY
from verl.workers.rollout.replica import RolloutReplicaRegistry
print(json.dumps({
    "platforms": PlatformRegistry.registered_names(),
    "rollouts": [name for name, mode in _ROLLOUT_REGISTRY if mode == "async"],
    "replicas": list(RolloutReplicaRegistry._registry),
    "engines": {
        kind: [backend for backend, devices in backends.items() if "cpu" in devices]
        for kind, backends in EngineRegistry._engines.items()
    },
}))
"""


def names_registered(platform):
    environment = {k: v for k, v in os.environ.items() if k != "VERL_PLATFORM"}
    if platform is not None:
        environment["VERL_PLATFORM"] = platform
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_registered_when_asked_for():
    names = names_registered("cpu")
    assert "cpu" in names["platforms"]
    assert "transformers_cpu" in names["rollouts"]
    assert "transformers_cpu" in names["replicas"]
    # of a policy and of a critic, whose process imports no external_lib
    assert (
        names["engines"]["language_model"] == names["engines"]["value_model"] == ["fsdp", "fsdp2"]
    )


def test_not_registered_otherwise():
    names = names_registered(None)
    assert "cpu" not in names["platforms"]
    assert "transformers_cpu" not in names["rollouts"]
    assert "transformers_cpu" not in names["replicas"]
    assert not any(names["engines"].values())


class TestPlatform:
    @pytest.fixture
    def platform(self):
        from dianjin_ext.hosts.verl.cpu.platform import CPUPlatform

        return CPUPlatform()  # also shows that no abstract method of verl's is missing

    def test_device_reads_as_a_device_and_as_an_index(self, platform):
        import torch

        device = platform.current_device()
        assert torch.zeros(1).to(device).device.type == "cpu"
        assert torch.device(f"{platform.device_name}:{device}") == torch.device("cpu:0")

    def test_is_never_detected_by_itself(self, platform):
        assert not platform.is_platform_available(use_smi_check=True)

    def test_device_module_answers_what_verl_asks(self, platform):
        module = platform.device_module
        state = module.get_rng_state()
        module.set_rng_state(state)
        module.manual_seed_all(1)
        assert module.max_memory_allocated() == 0
        assert module.current_device() == "cpu"  # from torch.cpu


def test_a_critic_of_a_kind_without_a_classifier_is_refused(tmp_path):
    from transformers import BartConfig

    from dianjin_ext.errors import DianjinError
    from dianjin_ext.hosts.verl.cpu.engine import _load_critic

    with pytest.raises(DianjinError, match=r"critic\.model\.path=.*no token classifier.*bart"):
        _load_critic(str(tmp_path), None, BartConfig(), False)


def test_a_new_value_head_says_zero_and_a_trained_one_what_it_learnt(tiny_model, tmp_path):
    import torch
    from transformers import AutoConfig, Qwen2ForCausalLM

    from dianjin_ext.errors import DianjinError
    from dianjin_ext.hosts.verl.cpu.engine import _load_critic

    def values(folder):
        config = AutoConfig.from_pretrained(folder, num_labels=1)  # as verl makes it
        critic = _load_critic(str(folder), torch.float32, config, False)
        with torch.no_grad():
            return critic, critic(input_ids=torch.arange(12).reshape(2, 6)).logits

    policy = Qwen2ForCausalLM.from_pretrained(tiny_model)
    critic, said = values(tiny_model)
    assert said.shape == (2, 6, 1) and not said.any()
    embeddings = policy.get_input_embeddings().weight
    assert torch.equal(critic.get_input_embeddings().weight, embeddings)  # the rest was loaded
    torch.nn.init.ones_(critic.score.weight)
    weights = policy.state_dict()
    del weights["model.norm.weight"]
    policy.save_pretrained(tmp_path / "broken", state_dict=weights)
    with pytest.raises(DianjinError, match=r"there is no weight model\.norm\.weight"):
        values(tmp_path / "broken")
    critic.save_pretrained(tmp_path / "critic")
    assert values(tmp_path / "critic")[1].any()


def test_configuration_group_fits_verls_stock_recipe():
    from hydra import compose, initialize_config_module
    from omegaconf import OmegaConf

    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose(
            "ppo_trainer",
            overrides=[f"hydra.searchpath=[file://{CONFIGS}]", "+platform=cpu", "trainer.nnodes=1"],
        )
    config = OmegaConf.to_container(config.ray_kwargs.ray_init, resolve=False)
    assert config["num_gpus"] == "${trainer.n_gpus_per_node}"


def test_workers_look_for_cycles_seldom():
    import gc

    from omegaconf import OmegaConf
    from ray._common.utils import load_class

    platform = OmegaConf.load(CONFIGS / "platform" / "cpu.yaml")
    hook = load_class(platform.ray_kwargs.ray_init.runtime_env.worker_process_setup_hook)
    before = gc.get_threshold()
    try:
        hook()  # as Ray calls it, without arguments
        assert gc.isenabled()
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.set_threshold(*before)


def test_what_the_user_says_of_rays_processes_stays(monkeypatch):
    from dianjin_ext.hosts.verl.cpu.processes import start_fewer

    variables = {"RAY_prestart_worker_first_driver": "1"}
    monkeypatch.setattr(os, "environ", variables)
    start_fewer()
    assert variables["RAY_prestart_worker_first_driver"] == "1"
    assert variables["REPORTER_UPDATE_INTERVAL_MS"] == "60000"
