"""From the text of a prompt to the question that the teacher knows."""

from dianjin_ext.quickstart.teacher.item import read_item
from dianjin_ext.quickstart.teacher.known import Known
from dianjin_ext.quickstart.teacher.subject import Subject
from dianjin_ext.quickstart.teacher.world_subject import WorldSubject


def find(text: str, known: Known | None) -> Subject | None:
    """Return what a text asks: a question of the world or of a file; None for neither.

    Args:
        text: The question, with whatever stands around it.
        known: The questions of files.
    """
    if (item := read_item(text)) is not None:
        return WorldSubject(item)
    return known.find(text) if known is not None else None
