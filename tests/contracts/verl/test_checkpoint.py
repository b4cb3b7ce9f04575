import logging

import pytest

pytest.importorskip("verl")
from omegaconf import OmegaConf
from verl.trainer.ppo.checkpoint_callback import build_checkpoint_callback

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.checkpoint import MergeOnSave


def make(fatal=None, nnodes=1, strategy="fsdp2", contents=("model", "optimizer", "extra")):
    trainer = {
        "checkpoint_callback_class": "dianjin_ext.hosts.verl.checkpoint.MergeOnSave",
        "nnodes": nnodes,
    }
    if fatal is not None:
        trainer["merge_on_save"] = {"fatal": fatal}
    actor = {"strategy": strategy, "checkpoint": {"save_contents": list(contents)}}
    return build_checkpoint_callback(
        OmegaConf.create({"trainer": trainer, "actor_rollout_ref": {"actor": actor}})
    )


def save(callback, folder):
    callback.on_save(trainer=None, global_step=7, checkpoint_dir=str(folder), async_save=False)


@pytest.fixture
def broken(tmp_path):
    (tmp_path / "actor").mkdir()
    (tmp_path / "actor" / "model_world_size_2_rank_0.pt").write_bytes(b"half a fi")
    return tmp_path


@pytest.mark.parametrize("fatal", [None, False])
def test_a_failed_merge_is_reported_and_training_goes_on(broken, caplog, fatal):
    callback = make(fatal)
    assert isinstance(callback, MergeOnSave)
    with caplog.at_level(logging.ERROR):
        save(callback, broken)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "step 7" in record.getMessage() and str(broken / "actor") in record.getMessage()
    assert not (broken / "merged").exists()


def test_a_failed_merge_can_stop_the_run(broken):
    with pytest.raises(DianjinError, match=r"step 7.*saved but not merged"):
        save(make(fatal=True), broken)


def test_shards_of_other_nodes_are_explained(broken, caplog):
    save(make(nnodes=2), broken)
    assert "trainer.nnodes=2" in caplog.text
    assert "dianjin merge" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [({"strategy": "megatron"}, "strategy"), ({"contents": ["hf_model"]}, "save_contents")],
)
def test_a_run_that_could_never_merge_stops_at_its_start(options, message):
    with pytest.raises(DianjinError, match=message):
        make(**options)
