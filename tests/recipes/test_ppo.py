"""The PPO recipe parses in real LLaMA-Factory and asks the reward server."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "configs" / "ppo.yaml"


@pytest.fixture
def recipe():
    return yaml.safe_load(RECIPE.read_text(encoding="utf-8"))


def test_parses_in_llamafactory(recipe, tmp_path, monkeypatch):
    pytest.importorskip("llamafactory")
    from llamafactory.data.template import TEMPLATES
    from llamafactory.hparams import get_train_args

    monkeypatch.chdir(ROOT)
    arguments = {**recipe, "use_cpu": True, "output_dir": str(tmp_path)}
    del arguments["deepspeed"]  # wants a launcher and a GPU
    _, data, training, finetuning, generating = get_train_args(arguments)
    assert finetuning.stage == "ppo"
    assert finetuning.reward_model_type == "api"
    assert data.template in TEMPLATES
    assert generating.max_new_tokens == 4096
    assert training.get_warmup_steps(1000) == 10
    with pytest.raises(ValueError, match="reward_modle"):
        get_train_args({**arguments, "reward_modle": "x"})


def test_goes_on_from_sft_and_agrees_with_the_server(recipe):
    sft = yaml.safe_load((ROOT / "configs" / "sft.yaml").read_text(encoding="utf-8"))
    assert recipe["model_name_or_path"] == sft["output_dir"]
    for key in ("template", "default_system", "deepspeed"):
        assert recipe[key] == sft[key]

    from typer.main import get_command

    from dianjin_ext.cli import app

    server = {option.name: option for option in get_command(app).commands["reward-server"].params}
    assert recipe["reward_model"] == f"http://127.0.0.1:{server['port'].default}"
    assert str(server["recipe"].default) == "configs/ppo.yaml"
