"""What `dianjin prepare` does with its arguments: one data set, from its files to its rows."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from dianjin_ext.data.counts import Counts, show
from dianjin_ext.data.prepare import check_folder, prepare
from dianjin_ext.data.prepare_settings import PrepareSettings
from dianjin_ext.errors import DianjinError
from dianjin_ext.outputs import check_output, written_whole
from dianjin_ext.questions.question import Question
from dianjin_ext.questions.readers import READERS, BadRow, get_reader, read

OWN = "own"


def prepare_files(
    dataset: str,
    files: Sequence[Path],
    out: Path | None,
    *,
    mapping: Path | None = None,
    hub: str | None = None,
    settings: PrepareSettings,
) -> Counts:
    """Read a data set, write its rows into `out`, and show what became of them.

    Raises:
        DianjinError: An argument is missing or doesn't fit, or whatever `prepare` raises.
    """
    if dataset != OWN:
        get_reader(dataset)
    if out is None:
        raise DianjinError("name the folder for the rows: --out DIR")
    if not files and hub is None:
        raise DianjinError(f"name the files of {dataset}, such as {_files_of(dataset)}")
    if files and hub is not None:
        raise DianjinError("--hub is instead of files; leave one of them out")
    if len({path.resolve() for path in files}) < len(files):
        raise DianjinError("a file is named twice; each of its rows would be there twice")
    check_folder(files, out, overwrite=settings.overwrite)
    rows: Iterable[Question | BadRow]
    if dataset == OWN:
        rows = _own(files, mapping)
    elif mapping is not None:
        raise DianjinError(f"--map is for a file of your own: dianjin prepare {OWN} FILE --map …")
    elif hub is not None:
        from dianjin_ext.questions.hub import read_hub

        rows = read_hub(get_reader(dataset), hub)
    else:
        rows = read(get_reader(dataset), files)
    told = prepare(list(rows), out, files=files, settings=settings)
    show(told, out)
    return told


def write_guess(dataset: str, files: Sequence[Path], path: Path, *, overwrite: bool) -> None:
    """Write a mapping guessed from the columns of a file of one's own, and nothing else.

    Raises:
        DianjinError: It is not for `own`, no file is named, or the mapping can't be written.
    """
    from dianjin_ext.questions.guess import guess

    if dataset != OWN or not files:
        raise DianjinError(
            f"--guess is for files of your own: dianjin prepare {OWN} FILE --guess …"
        )
    check_output(path, inputs=files, overwrite=overwrite)
    text = guess(files)
    with written_whole(path):
        path.write_text(text, encoding="utf-8")
    Console(highlight=False).print(
        f"{path} has what was guessed; look at it, then: dianjin prepare {OWN} "
        f"{' '.join(map(str, files))} --map {path} --out DIR",
        soft_wrap=True,
    )


def list_readers() -> None:
    """Print the data sets that can be read."""
    console = Console(highlight=False)
    for reader in READERS.values():
        console.print(f"{reader.name}: {reader.about}", style="bold", soft_wrap=True)
        console.print(f"  {reader.url}\n  {reader.files}", soft_wrap=True, markup=False)
        if reader.hub is not None:
            console.print(f"  --hub {reader.hub}", soft_wrap=True, markup=False)
        console.print(f"  licence: {reader.licence}", soft_wrap=True)
    console.print(f"{OWN}: CSV, XLSX, JSON, JSON lines or parquet of your own", style="bold")


def _own(files: Sequence[Path], mapping: Path | None) -> Iterable[Question | BadRow]:
    from dianjin_ext.questions.mapping import load_mapping
    from dianjin_ext.questions.own import read_own

    if mapping is None:
        raise DianjinError(
            "name the mapping of your columns: --map MAP.yaml; `--guess MAP.yaml` writes one"
        )
    return read_own(files, load_mapping(mapping))


def _files_of(dataset: str) -> str:
    return "exam.csv" if dataset == OWN else get_reader(dataset).files
