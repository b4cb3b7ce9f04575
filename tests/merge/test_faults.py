"""Damaged input and interrupted output: one clear error or a complete folder, never a half one."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dianjin_ext.errors import DianjinError
from dianjin_ext.merge import merge_checkpoint
from dianjin_ext.merge.shards import read_rank


def assert_nothing_left(out):
    assert not out.exists()
    assert [path.name for path in out.parent.iterdir() if out.name in path.name] == []


def refuse(source, out, match, **options):
    with pytest.raises(DianjinError, match=match):
        merge_checkpoint(source, out, **options)
    assert_nothing_left(out)


@pytest.fixture
def out(tmp_path):
    (tmp_path / "to").mkdir()
    return tmp_path / "to" / "merged"


def flip(path, offset):
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 4]))


def test_a_missing_rank(copy_of, out):
    actor = copy_of("fsdp2-w3-fp32")
    (actor / "model_world_size_3_rank_1.pt").unlink()
    refuse(actor, out, "no file for rank 1 of 3")


def test_a_stale_file_of_another_world_size_changes_nothing(copy_of, out, tmp_path):
    actor = copy_of("fsdp2-w2-tied")
    merge_checkpoint(actor, tmp_path / "before")
    (actor / "model_world_size_8_rank_0.pt").write_bytes(b"of an earlier run")
    merge_checkpoint(actor, out)
    name = "model.safetensors"
    assert (out / name).read_bytes() == (tmp_path / "before" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("fsdp2-w2-tied", "first"),
        ("fsdp2-w4-columns", "last"),
        ("fsdp2-w3-fp32", "last"),
        ("fsdp2-w3-fp32", "padding"),
    ],
)
def test_one_flipped_byte(copy_of, out, name, at):
    """In the data, or in the padding after a short shard, which is summed up as well."""
    actor = copy_of(name)
    path = sorted(actor.glob("*.pt"))[-1]
    entry = read_rank(path, int(path.stem[-1]))["model.layers.1.mlp.down_proj.weight"]
    piece = entry.pieces[0]
    end = piece.record.offset + piece.record.nbytes
    assert at != "padding" or piece.nbytes < piece.record.nbytes
    flip(path, {"first": piece.offset, "last": piece.offset + piece.nbytes - 1}.get(at, end - 1))
    refuse(actor, out, r"rank_\d\.pt: \S+: the CRC32 stored with the data is \w+, .* damaged")


def test_a_flipped_byte_in_the_list_of_ranks(copy_of, out):
    actor = copy_of("fsdp2-hsdp")
    path = actor / "model_world_size_4_rank_1.pt"
    data = bytearray(path.read_bytes())
    ranks = b"".join(rank.to_bytes(4, "little") for rank in range(4))
    data[data.index(ranks) + 4] = 3  # rank 1 is now where rank 3 should be
    path.write_bytes(data)
    refuse(actor, out, r"rank_1\.pt: the CRC32 of data/\d+ does not match")


def test_without_checksums_it_merges_and_says_so(tmp_path, out, bare_model):
    torch = pytest.importorskip("torch")
    actor = tmp_path / "actor"
    actor.mkdir()
    weights = {"a": torch.randn(5, 3), "b": torch.randn(7)}
    try:
        torch.serialization.set_crc32_options(False)
        for rank in range(2):  # copies: compared byte by byte
            torch.save(weights, actor / f"model_world_size_2_rank_{rank}.pt")
        plan = merge_checkpoint(actor, out, base_model=bare_model)
        assert not plan.checksums
        from safetensors.torch import load_file

        merged = load_file(out / "model.safetensors")
        assert all(torch.equal(merged[name], weights[name]) for name in weights)
        weights["b"][3] += 1
        torch.save(weights, actor / "model_world_size_2_rank_1.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    match = "b: ranks 0 and 1 should hold the same copy"
    refuse(actor, out.parent / "second", match, base_model=bare_model)


def test_copies_that_differ(copy_of, out):
    """HSDP: rank 2 of 4 holds the same part as rank 0."""
    import torch
    import torch.distributed.tensor

    actor = copy_of("fsdp2-hsdp")
    path = actor / "model_world_size_4_rank_2.pt"
    state = torch.load(path, weights_only=False)
    state["model.norm.weight"]._local_tensor[0] += 1
    torch.save(state, path)
    refuse(actor, out, r"model\.norm\.weight: ranks 0 and 2 should hold the same copy")


def test_tied_weights_that_differ(copy_of, out):
    import torch

    actor = copy_of("fsdp1-w1-tied")
    path = actor / "model_world_size_1_rank_0.pt"
    state = torch.load(path, weights_only=False)
    state["lm_head.weight"] = state["lm_head.weight"].clone() + 1
    torch.save(state, path)
    refuse(actor, out, "tie_word_embeddings, but lm_head.weight does not equal")


@pytest.mark.parametrize("change", ["fewer keys", "another shape", "another type"])
def test_ranks_of_different_checkpoints(copy_of, out, change):
    import torch
    import torch.distributed.tensor

    actor = copy_of("fsdp2-w2-tied")
    path = actor / "model_world_size_2_rank_1.pt"
    state = torch.load(path, weights_only=False)
    name = "model.layers.1.mlp.up_proj.weight"
    if change == "fewer keys":
        del state[name]
    else:
        local = state[name].to_local()
        state[name] = local.float() if change == "another type" else local[:3].clone()
    torch.save(state, path)
    refuse(actor, out, r"up_proj\.weight.* the files are not of one checkpoint")


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"num_hidden_layers": 3}, "3 layers, but layer 2 is missing from the checkpoint"),
        ({"num_hidden_layers": 1}, "1 layers, but layer 1 is also in the checkpoint"),
        ({"vocab_size": 200}, r"embed_tokens\.weight has shape \(203, 64\)"),
        ({"tie_word_embeddings": True}, "but lm_head.weight does not equal"),
    ],
)
def test_a_config_of_another_model(copy_of, out, config, match):
    actor = copy_of("fsdp2-w1")
    path = actor / "huggingface" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
    refuse(actor, out, match)


def test_a_missing_output_head(copy_of, out):
    import torch

    actor = copy_of("fsdp1-w1-tied")
    path = actor / "model_world_size_1_rank_0.pt"
    state = torch.load(path, weights_only=False)
    del state["lm_head.weight"]
    torch.save(state, path)
    config = actor / "huggingface" / "config.json"
    config.write_text(config.read_text().replace('embeddings": true', 'embeddings": false'))
    refuse(actor, out, r"lacks lm_head\.weight")


def test_missing_side_files(copy_of, out, checkpoints, tmp_path):
    actor = copy_of("fsdp2-w1")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (actor / "huggingface" / name).unlink()
    refuse(actor, out, "no tokenizer in .*--base-model")
    refuse(actor, out, "base model .* is not a local folder", base_model="some-org/some-model")
    base = shutil.copytree(checkpoints / "fsdp2-w2-tied" / "actor" / "huggingface", tmp_path / "b")
    (base / "model.safetensors").write_bytes(b"weights of the base")
    (base / "README.md").write_text("a model card")
    merge_checkpoint(actor, out, base_model=base)
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }
    saved = actor / "huggingface" / "config.json"
    assert (out / "config.json").read_bytes() == saved.read_bytes()  # not the base's
    shutil.rmtree(actor / "huggingface")
    refuse(actor, out.parent / "second", r"no config\.json in .*--base-model")


def test_an_existing_target(copy_of, out):
    actor = copy_of("fsdp2-w1")
    out.mkdir()
    merge_checkpoint(actor, out)  # an empty folder is as good as none
    (out / "notes.txt").write_text("mine")
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    with pytest.raises(DianjinError, match=r"exists; name a new folder, or overwrite it"):
        merge_checkpoint(actor, out)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    merge_checkpoint(actor, out, overwrite=True)
    assert not (out / "notes.txt").exists()
    assert [path.name for path in out.parent.iterdir()] == ["merged"]


def test_a_target_that_appears_meanwhile_stays(checkpoints, out):
    def progress(done, total):
        out.mkdir(exist_ok=True)
        (out / "config.json").write_text("{}")

    with pytest.raises(DianjinError, match="exists; name a new folder, or overwrite it"):
        merge_checkpoint(checkpoints / "fsdp2-w1", out, progress=progress)
    assert [path.name for path in out.iterdir()] == ["config.json"]
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_targets_that_are_never_replaced(copy_of, tmp_path):
    actor = copy_of("fsdp2-w1")
    for target in (actor, actor.parent):
        with pytest.raises(DianjinError, match="holds the files to be merged"):
            merge_checkpoint(actor, target, overwrite=True)
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "thesis.txt").write_text("years of work")
    with pytest.raises(DianjinError, match="so is no model"):
        merge_checkpoint(actor, documents, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(DianjinError, match="is a file"):
        merge_checkpoint(actor, tmp_path / "file", overwrite=True)
    assert (documents / "thesis.txt").read_text() == "years of work"
    assert (actor / "model_world_size_1_rank_0.pt").exists()


@pytest.mark.parametrize("where", ["during the weights", "after the weights"])
def test_a_full_disk(checkpoints, out, monkeypatch, where):
    import dianjin_ext.merge.direct as direct
    import dianjin_ext.merge.merger as merger

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if where == "during the weights":
        monkeypatch.setattr(direct.os, "pwrite", full)
    else:
        monkeypatch.setattr(merger.shutil, "copyfile", full)
    refuse(checkpoints / "fsdp2-w1", out, "No space left on device")


def test_too_little_space_is_noticed_beforehand(checkpoints, out, monkeypatch):
    import dianjin_ext.merge.plan as plan

    usage = shutil._ntuple_diskusage(total=10, used=9, free=1000)
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: usage)
    refuse(checkpoints / "fsdp2-w1", out, r"has 0\.00 GB free, but the merged model takes")


def test_an_exception_in_the_progress_callback_leaves_the_old_model(checkpoints, out):
    merge_checkpoint(checkpoints / "fsdp2-w1", out)
    old = (out / "model.safetensors").read_bytes()

    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_checkpoint(checkpoints / "fsdp2-hsdp", out, overwrite=True, progress=interrupt)
    assert (out / "model.safetensors").read_bytes() == old
    assert [path.name for path in out.parent.iterdir()] == ["merged"]


SLOW_MERGE = """
import os, sys, time
from dianjin_ext.merge import merge_checkpoint
stop = float(sys.argv[3])
def progress(done, total):
    if done >= stop * total:
        print("there", flush=True)
        time.sleep(60)
merge_checkpoint(sys.argv[1], sys.argv[2], max_shard_size="60KB", progress=progress)
"""


@pytest.mark.parametrize("moment", [0.0, 0.5, 1.0])
def test_killed_midway(checkpoints, out, moment):
    source = checkpoints / "fsdp2-w3-fp32"
    command = [sys.executable, "-c", SLOW_MERGE, str(source), str(out), str(moment)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "there\n"
        with pytest.raises(DianjinError, match="another process is writing"):
            merge_checkpoint(source, out)
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    left = out.parent / ".merged.merging"
    assert left.is_dir()
    assert not (left / "config.json").exists()  # no one can take it for a model
    merge_checkpoint(source, out)
    assert [path.name for path in out.parent.iterdir()] == ["merged"]
    assert (out / "model.safetensors").exists()


def test_a_target_that_cannot_be_written(checkpoints, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DianjinError, match=r"merging into .* failed"):
        merge_checkpoint(checkpoints / "fsdp2-w1", tmp_path / "file" / "merged")


def test_what_is_published_outlasts_a_power_failure(checkpoints, out, monkeypatch):
    """Every file and the names in the folder are fsynced, then it is renamed, then that is too."""
    events = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(fd):
        fsync(fd)
        events.append(("fsync", Path(os.readlink(f"/proc/self/fd/{fd}")).name))

    def noted_rename(self, target):
        events.append(("rename", Path(target).name))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    merge_checkpoint(checkpoints / "fsdp2-w2-tied", out, max_shard_size="60KB", sums=True)
    published = events.index(("rename", out.name))
    weights = [path.name for path in out.glob("*.safetensors")]
    assert len(weights) > 1
    for name in weights:  # on the disk before it has a name that a resumed merge believes
        assert events.index(("fsync", f"{name}.part")) < events.index(("rename", name))
    others = {path.name for path in out.iterdir()} - set(weights)
    assert {("fsync", name) for name in others} <= set(events[:published])
    assert events[published - 1] == ("fsync", f".{out.name}.merging")
    assert events[published + 1 :] == [("fsync", out.parent.name)]
