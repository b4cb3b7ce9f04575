"""One reader a published data set: its files to questions, and every bad row told."""

from dianjin_ext.errors import DianjinError
from dianjin_ext.questions.readers import (
    ccc,
    cflue,
    cflue_application,
    convfinqa,
    dianjin_r1_data,
    docmath,
    finance_instruct,
    financeiq,
    fincuge,
    fineva,
    fineval,
    finqa,
    mathematics,
    reasoning_paths,
    tatqa,
    tfns,
    xbrl_math,
)
from dianjin_ext.questions.readers.base import BadRow, Reader, read

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        cflue.READER,
        cflue_application.READER,
        finqa.READER,
        convfinqa.READER,
        tatqa.READER,
        tfns.READER,
        fineva.READER,
        financeiq.READER,
        fineval.READER,
        fincuge.READER,
        finance_instruct.READER,
        docmath.READER,
        xbrl_math.READER,
        ccc.READER,
        dianjin_r1_data.READER,
        reasoning_paths.FINO1,
        reasoning_paths.FINCOT,
        reasoning_paths.HUATUO,
        mathematics.MATH_500,
        mathematics.AIME_2024,
        mathematics.GPQA,
    )
}
"""Every reader by the name of its data set."""


def get_reader(name: str) -> Reader:
    """Return the reader of a data set.

    Raises:
        DianjinError: There is none of that name; the message lists those there are.
    """
    if name not in READERS:
        raise DianjinError(f"no reader for {name!r}; known: {', '.join(READERS)}")
    return READERS[name]


__all__ = ["READERS", "BadRow", "Reader", "get_reader", "read"]
