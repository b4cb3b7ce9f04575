import logging
import shutil
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("verl")
from omegaconf import OmegaConf
from verl.trainer.ppo.checkpoint_callback import build_checkpoint_callback

from dianjin_ext.errors import DianjinError
from dianjin_ext.hosts.verl.background_merge import keep_newest
from dianjin_ext.hosts.verl.checkpoint import MergeOnSave
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.verify import check_merged

HOOK = """
seen = []

def note(folder, step):
    seen.append((step, folder.name, (folder / "config.json").exists()))

def fail(folder, step):
    raise RuntimeError("no such registry")
"""
LAST_STEP = 100


@pytest.fixture
def hooks(tmp_path, monkeypatch):
    """A module of the user's own."""
    (tmp_path / "users_hooks.py").write_text(HOOK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "users_hooks", raising=False)
    import users_hooks

    return users_hooks


def make(*, nnodes=1, strategy="fsdp2", contents=("model", "optimizer", "extra"), **settings):
    trainer = {
        "checkpoint_callback_class": "dianjin_ext.hosts.verl.checkpoint.MergeOnSave",
        "nnodes": nnodes,
    }
    if settings:
        trainer["merge_on_save"] = settings
    actor = {"strategy": strategy, "checkpoint": {"save_contents": list(contents)}}
    return build_checkpoint_callback(
        OmegaConf.create({"trainer": trainer, "actor_rollout_ref": {"actor": actor}})
    )


def save(callback, folder, step=LAST_STEP):
    callback.on_save(
        trainer=SimpleNamespace(total_training_steps=LAST_STEP),
        global_step=step,
        checkpoint_dir=str(folder),
        async_save=False,
    )


@pytest.fixture
def broken(tmp_path):
    folder = tmp_path / "global_step_100"
    (folder / "actor").mkdir(parents=True)
    (folder / "actor" / "model_world_size_2_rank_0.pt").write_bytes(b"half a fi")
    return folder


@pytest.mark.parametrize("settings", [{}, {"fatal": False}])
def test_a_failed_merge_is_reported_and_training_goes_on(broken, caplog, settings):
    callback = make(**settings)
    assert isinstance(callback, MergeOnSave)
    with caplog.at_level(logging.ERROR):
        save(callback, broken)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    message = record.getMessage()
    assert "step 100" in message and str(broken / "actor") in message and "rank 1" in message
    assert [path.name for path in broken.iterdir()] == ["actor"]


def test_a_failed_merge_can_stop_the_run(broken):
    with pytest.raises(DianjinError, match=r"step 100.*saved but not merged"):
        save(make(fatal=True), broken)


def test_shards_of_other_nodes_are_explained(broken, caplog):
    save(make(nnodes=2), broken)
    assert "trainer.nnodes=2" in caplog.text
    assert "dianjin merge" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "megatron"}, "strategy"),
        ({"contents": ["hf_model"]}, "save_contents"),
        ({"keep": 0}, r"trainer\.merge_on_save\.keep is 0"),
        ({"dtype": "fp8"}, r"trainer\.merge_on_save\.dtype is 'fp8'"),
        ({"io_limit": "fast"}, r"io_limit.*'fast'"),
        ({"hook": "nowhere.at_all:f"}, r"trainer\.merge_on_save\.hook='nowhere\.at_all:f'"),
        ({"hook": "json:nothing"}, r"trainer\.merge_on_save\.hook='json:nothing'"),
    ],
)
def test_a_run_that_could_never_merge_stops_at_its_start(options, message):
    with pytest.raises(DianjinError, match=message):
        make(**options)


@pytest.mark.slow
def test_training_goes_on_while_checkpoints_are_merged(checkpoints, tmp_path, hooks, capsys):
    case = checkpoints / "fsdp2-w2-tied"
    nbytes = sum(path.stat().st_size for path in (case / "actor").glob("model_*.pt"))
    # Slow enough that the first merge still runs when the next checkpoints are saved.
    callback = make(keep=2, hook="users_hooks:note", io_limit=f"{max(nbytes // 3, 1)}B")
    for step in (10, 20, LAST_STEP):
        folder = tmp_path / f"global_step_{step}"
        shutil.copytree(case, folder)
        save(callback, folder, step)
        if step < LAST_STEP:
            assert not (folder / "merged").exists()  # on_save did not wait
            shutil.rmtree(folder / "actor")  # as trainer.max_actor_ckpt_to_keep=1 does
    assert hooks.seen == [(step, "merged", True) for step in (10, 20, LAST_STEP)]
    left = sorted(tmp_path.glob("global_step_*/merged"))
    assert [path.parent.name for path in left] == ["global_step_100", "global_step_20"]
    assert not list(tmp_path.glob("global_step_*/.*"))
    merge_checkpoint(case, tmp_path / "alone", sums=True)
    for path in left:
        assert check_merged(path).hashed > 0
        for file in path.iterdir():
            assert file.read_bytes() == (tmp_path / "alone" / file.name).read_bytes()
    assert "Merged step 10 into" in capsys.readouterr().out


@pytest.mark.slow
def test_a_hook_that_fails_does_not_stop_the_run(checkpoints, tmp_path, hooks, caplog):
    folder = shutil.copytree(checkpoints / "fsdp2-w2-tied", tmp_path / "global_step_100")
    save(make(hook="users_hooks:fail"), folder)
    assert "was merged, but what follows failed" in caplog.text
    assert "no such registry" in caplog.text
    check_merged(folder / "merged")
    with pytest.raises(RuntimeError, match="no such registry"):
        save(make(hook="users_hooks:fail", fatal=True), folder)


def test_the_newest_are_those_of_the_highest_steps(tmp_path):
    for step in (9, 10, 100):
        (tmp_path / f"global_step_{step}" / "merged").mkdir(parents=True)
    (tmp_path / "global_step_200").mkdir()  # saved, not merged yet
    assert [path.parent.name for path in keep_newest(tmp_path, 2)] == ["global_step_9"]
    assert not (tmp_path / "global_step_9" / "merged").exists()
    assert keep_newest(tmp_path, 2) == []
