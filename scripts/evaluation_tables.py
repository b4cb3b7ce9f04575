"""Write the tables of docs/benchmarks.md and docs/protocols.md from what the package has.

python scripts/evaluation_tables.py
"""

from collections.abc import Iterable
from pathlib import Path

from dianjin_ext.evaluation.benchmarks import BENCHMARKS
from dianjin_ext.evaluation.protocol import Rules, get_protocol, protocol_names
from dianjin_ext.evaluation.published import every_row
from dianjin_ext.questions.readers import get_reader

DOCS = Path(__file__).resolve().parents[1] / "docs"
_JUDGES = {
    None: "rule; a judge where it leaves an answer open",
    "verdict": "a judge, every answer",
    "extract": "a model extracts, a rule compares",
}


def benchmarks() -> str:
    """Return the table of the benchmarks."""
    rows = []
    for each in BENCHMARKS.values():
        reader = get_reader(each.reader)
        rows.append(
            (
                f"`{each.name}`",
                each.about,
                ", ".join(each.kinds),
                ", ".join(f"`{name}`" for name in each.rewards),
                each.split,
                f"{each.size:,}" if each.size else "–",
                ", ".join(f"`{name}`" for name in each.files),
                f"`{each.hub}`" if each.hub else "–",
                f"[{reader.licence}]({reader.url})",
            )
        )
    head = ("benchmark", "what it asks", "answers", "reward", "split", "questions",
            "its files in a folder", "on the hub", "licence, source")  # fmt: skip
    return _table(head, rows)


def protocols() -> str:
    """Return the table of the protocols: what holds for all benchmarks, and what differs."""
    rows = []
    for name in protocol_names():
        protocol = get_protocol(name)
        groups: dict[tuple[str, ...], list[str]] = {}
        for benchmark, rules in protocol.benchmarks.items():
            groups.setdefault(_cells(rules), []).append(benchmark)
        for cells, names in groups.items():
            rows.append((f"`{name}`", ", ".join(f"`{each}`" for each in names), *cells))
        rows.append((f"`{name}`", "others", *_cells(protocol.common)))
    head = ("protocol", "benchmark", "prompt", "temperature, top-p, tokens", "samples", "questions",
            "extraction", "decided by")  # fmt: skip
    return _table(head, rows)


def _cells(rules: Rules) -> tuple[str, ...]:
    given, rows = rules.sampling, rules.rows
    asked = "its own" if rules.prompt is not None else "of training"
    numbers = rules.settings.numbers.parity
    return (
        asked if rules.system is None else f"{asked}, and a system prompt",
        f"{given.temperature:g}, {given.top_p:g}, {given.max_tokens:,}",
        str(given.samples),
        "all" if rows is None else f"all below {rows.all_below:,}, else {rows.sample:,}",
        f"`{rules.settings.strictness}`" + (f", parity `{numbers}`" if numbers else ""),
        _JUDGES[rules.judge],
    )


def moved() -> str:
    """Return the table of systems that have numbers under several protocols."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in every_row():
        if row.metric == "accuracy":
            cell = f"{row.value * 100:.2f}"
            found.setdefault((row.benchmark, row.system), {})[row.protocol] = cell
    several = {key: cells for key, cells in found.items() if len(cells) > 1}
    names = [name for name in protocol_names() if any(name in c for c in several.values())]
    rows = [
        (f"`{benchmark}`", system, *(cells.get(name, "–") for name in names))
        for (benchmark, system), cells in sorted(several.items())
    ]
    return _table(("benchmark", "system", *(f"`{name}`" for name in names)), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES = {
    "benchmarks.md": {"benchmarks": benchmarks},
    "protocols.md": {"protocols": protocols, "moved": moved},
}
"""Page to the tables that stand there, each between `<!-- NAME -->` and `<!-- /NAME -->`."""


def filled(page: str, text: str) -> str:
    """Return a page with its tables as they are now."""
    for name, make in TABLES[page].items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not begin or not end:
            raise SystemExit(f"{page} has no place for the table {name}")
        text = f"{before}{begin}{make()}{end}{after}"
    return text


if __name__ == "__main__":
    for page in TABLES:
        path = DOCS / page
        path.write_text(filled(page, path.read_text(encoding="utf-8")), encoding="utf-8")
