"""Text in, structure out: what a response says, with no opinion on whether it is right.

Readers return a `Reading`. They never guess: text that they can't read in full gives no value.
"""

from dianjin_ext.answers.boxed import find_boxes, last_box
from dianjin_ext.answers.choices import read_choices
from dianjin_ext.answers.labels import LABEL_SETS, read_label
from dianjin_ext.answers.numbers import Number, read_number
from dianjin_ext.answers.reading import Reading
from dianjin_ext.answers.response import Response, split

__all__ = [
    "LABEL_SETS",
    "Number",
    "Reading",
    "Response",
    "find_boxes",
    "last_box",
    "read_choices",
    "read_label",
    "read_number",
    "split",
]
