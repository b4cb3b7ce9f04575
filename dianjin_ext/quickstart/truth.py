"""`python -m dianjin_ext.quickstart.truth SET`: measure a set's filters against the truth.

The teacher's truth about each response becomes the labels of the set's card.
"""

import sys
from pathlib import Path

from dianjin_ext.data.card import write_card
from dianjin_ext.errors import DianjinError
from dianjin_ext.quickstart.teacher.files import write_labels


def main(out: Path) -> None:
    """Write labels.jsonl and the card."""
    number = write_labels(out / "set" / "candidates.parquet", out / "labels.jsonl")
    facts = write_card(out, truth=out / "labels.jsonl")
    for found in facts["quality"]["filters"]:
        kept, every = found["overall"]["precision"], found["overall"]["keep_all"]["precision"]
        recall = found["overall"]["recall"]
        print(
            f"{found['filter']}: {found['positive']} are {_share(kept)} of what it keeps, "
            f"{_share(every)} of what it gets; it keeps {_share(recall)} of these"
        )
    print(f"{number} responses labelled; {out / 'card.md'}")


def _share(rate: dict[str, float] | None) -> str:
    return "–" if rate is None else f"{rate['rate']:.1%}"


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except DianjinError as error:
        sys.exit(str(error))
