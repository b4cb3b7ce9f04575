"""What it took, on what, and with which settings."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dianjin_ext.evaluation.report.sections.common import BENCHMARK, MODEL, Facts, results, task_of
from dianjin_ext.pages.blocks import Block, Cell, Code, Listing, Prose, Section, Table, Text, Words


def cost(facts: Facts) -> Section | None:
    """Return time, memory and tokens of each stage."""
    blocks: list[Block] = []
    stages = [_stage(folder, name, of) for folder, name, of in _stages(facts)]
    if stages:
        heads: list[Text] = [
            *(
                Words("Stage", "阶段"),
                Words("Seconds", "秒"),
                Words("Processor seconds", "处理器秒"),
                Words("Peak memory, GiB", "内存峰值（GiB）"),
            ),
            Words("Command, run in the folder of the page", "命令（在本页所在文件夹运行）"),
        ]
        blocks.append(Table(heads, stages))
    rows: list[list[Cell]] = []
    for name, result in results(facts):
        tokens, seconds = result["tokens"], result.get("seconds")
        if result.get("from_journal"):  # a part of the replies is of an earlier run
            seconds = None
        rate = tokens["completion"] / seconds if seconds and tokens["completion"] else None
        rows.append(
            [
                *(task_of(result, facts), name),
                *(int(tokens[kind]) or None for kind in ("prompt", "completion")),
                None if seconds is None else f"{seconds:,.1f}",
                None if rate is None else f"{rate:,.0f}",
            ]
        )
    if rows:
        heads = [
            *(BENCHMARK, MODEL, Words("Prompt tokens", "输入 token")),
            *(Words("Response tokens", "输出 token"), Words("Seconds", "秒")),
            Words("Tokens a second", "每秒 token"),
        ]
        blocks.append(Table(heads, rows))
    return (
        Section("cost", Words("Time, tokens, memory", "时间、token 与内存"), blocks)
        if blocks
        else None
    )


def how(facts: Facts) -> Section | None:
    """Return versions, hardware and settings."""
    blocks: list[Block] = []
    for hardware, where in _same(facts, "hardware"):
        blocks.append(Prose(_hardware(where, hardware)))
    for versions, where in _same(facts, "versions"):
        said = ", ".join(f"{name} {number}" for name, number in versions.items())
        blocks.append(Prose(f"{where}: {said}"))
    for seed, where in _same(facts, "seed"):
        blocks.append(Prose(f"{where}: seed {seed}"))
    for name, result in results(facts):
        kept = ("sampling", "grading", "split", "rows", "files", "departures", "outcomes", "spent")
        settings = {key: result[key] for key in kept if result.get(key) not in (None, {}, [])}
        if settings:
            text = json.dumps(settings, ensure_ascii=False, indent=2)
            title = " · ".join(filter(None, (result["benchmark"], result["label"], name)))
            blocks.append(Listing(title, text))
    head = Words("Versions, hardware, settings", "版本、硬件与设置")
    return Section("how", head, blocks) if blocks else None


def _same(facts: Facts, key: str) -> list[tuple[Any, str]]:
    """Return each value of the folders once, with the names of those that have it."""
    found: list[tuple[Any, list[str]]] = []
    for folder in facts["folders"]:
        if key in folder:
            known = next((names for value, names in found if value == folder[key]), None)
            if known is None:
                found.append((folder[key], [folder["name"]]))
            else:
                known.append(folder["name"])
    return [(value, ", ".join(names)) for value, names in found]


def _stages(facts: Facts) -> Iterator[tuple[Mapping[str, Any], str, Mapping[str, Any]]]:
    for folder in facts["folders"]:
        for name, of in (folder.get("stages") or {}).items():
            yield folder, name, of


def _stage(folder: Mapping[str, Any], name: str, of: Mapping[str, Any]) -> list[Cell]:
    command = (folder.get("commands") or {}).get(name)
    return [
        name,
        f"{of['seconds']:,.1f}" if "seconds" in of else None,
        f"{of['processor_seconds']:,.1f}" if "processor_seconds" in of else None,
        f"{of['peak_memory_gib']:.2f}" if "peak_memory_gib" in of else None,
        Code(command) if command else None,
    ]


def _hardware(where: str, of: Mapping[str, Any]) -> Words:
    gpus = ", ".join(of.get("gpus") or [])
    return Words(
        f"{where}: {of.get('cpus')} CPUs, {of.get('memory_gib')} GiB of memory"
        + (f", {gpus}" if gpus else ", no GPU"),
        f"{where}：{of.get('cpus')} 个 CPU，{of.get('memory_gib')} GiB 内存"
        + (f"，{gpus}" if gpus else "，无 GPU"),
    )
