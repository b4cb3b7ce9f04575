from dataclasses import replace

import pytest

from dianjin_ext.merge import MergeSettings
from dianjin_ext.merge.command import check, run

SETTINGS = MergeSettings(max_shard_size="60KB")


def test_merges_and_reports(checkpoints, tmp_path, capsys):
    run([checkpoints / "fsdp2-w2-tied"], tmp_path / "out", SETTINGS)
    assert (tmp_path / "out" / "model.safetensors.index.json").exists()
    text = " ".join(capsys.readouterr().out.split())
    assert "26 tensors (bfloat16) of 2 ranks in 5 files" in text


def test_dry_run_prints_the_plan_and_writes_nothing(checkpoints, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)  # a dumb terminal would have 80 columns
    out = tmp_path / "a" / "b"
    run([checkpoints / "fsdp2-w2-tied"], out, SETTINGS, dry_run=True)
    assert list(tmp_path.iterdir()) == []
    text = capsys.readouterr().out
    lines = {tuple(line.split()) for line in text.splitlines()}
    up = "model.layers.1.mlp.up_proj.weight"
    assert any(line[1:] == (up, "162×64", "bfloat16", "2", "20,736") for line in lines), text
    assert "left out, tied to the input embeddings: lm_head.weight" in text
    assert "free on that disk" in text
    assert "tokenizer.json" in text


def test_errors_come_before_the_bar(checkpoints, tmp_path):
    from dianjin_ext.errors import DianjinError

    with pytest.raises(DianjinError, match="max_shard_size"):
        run([checkpoints / "fsdp2-w1"], tmp_path / "out", MergeSettings(max_shard_size="huge"))


def test_verifies_and_checks(checkpoints, tmp_path, capsys):
    out = tmp_path / "out"
    run([checkpoints / "fsdp2-w1"], out, replace(SETTINGS, dtype="fp16", verify=True))
    assert "found equal to the rank files" in capsys.readouterr().out
    check(out)
    text = " ".join(capsys.readouterr().out.split())
    assert "27 tensors in 5 files" in text
    assert "SHA-256 sums are right" in text
