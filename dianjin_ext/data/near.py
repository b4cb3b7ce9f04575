"""Questions of training rows that come again, in the same words or nearly."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dianjin_ext.answers.question import only_question
from dianjin_ext.data.rows import TrainingRow
from dianjin_ext.questions.duplicates import near_earlier
from dianjin_ext.questions.same import (
    gold_key,
    near_key,
    near_text,
    question_key,
    split_prompt,
)


class Asked(NamedTuple):
    """What a row asks: the question without options, the options, and what it is about."""

    stem: str
    options: dict[str, str]
    context: str


class Place(NamedTuple):
    """A row of a file, and its gold answer as a digest; None where it has none."""

    file: str
    where: str
    gold: bytes | None

    def contradicts(self, other: "Place") -> bool:
        """Return whether both have a gold answer, and different ones."""
        return None not in (self.gold, other.gold) and self.gold != other.gold


class Repetitions:
    """Remembers the questions of rows, and tells those that come again.

    Memory grows by about 300 bytes and the text of the question for each row; looking for what is
    nearly the same takes about 9 kB more for each question, and less above 100,000 of them.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, Place] = {}
        self._texts: list[str] = []
        self._keys: list[bytes] = []
        self._places: list[Place] = []

    def add(self, file: str, where: str, row: TrainingRow, found: Asked) -> tuple[str, str] | None:
        """Remember a row and what it asks.

        Returns:
            The kind and the explanation if it is the same as another.
        """
        stem, options, context = found
        gold = gold_key(row.ground_truth, options) if row.labelled else None
        place = Place(file, where, gold)
        first = self._seen.setdefault(question_key(stem, options, context), place)
        if first is not place:
            return _told(place, first, "the same question as")
        self._texts.append(near_text(stem, options))
        self._keys.append(near_key(stem, options, context))
        self._places.append(place)
        return None

    def near(self) -> Iterator[tuple[Place, str, str]]:
        """Yield each row that asks nearly the same as one before it, the kind and why.

        With another gold answer it is another question, in spite of its words.
        """
        for position, earlier, similarity in near_earlier(self._texts, keys=self._keys):
            place, first = self._places[position], self._places[earlier]
            if place.contradicts(first):
                continue
            kind, why = _told(place, first, f"nearly the same question ({similarity:.0%}) as")
            yield place, "near_leak" if kind == "leak" else "near_duplicate", why


def asked(row: TrainingRow) -> Asked | None:
    """Return what a row asks; None where it has neither a question nor a prompt.

    The question is `extra_info.question` with `extra_info.choices` where a row has both. Else it
    stands at the end of the prompt, in which lines such as `A. 存货` are options; what stands
    before it is its context, since many data sets ask the same words about different texts.
    """
    question, choices = row.extra_info.get("question"), row.extra_info.get("choices")
    question = question if isinstance(question, str) else None
    if question is not None and isinstance(choices, Mapping) and (given := _given(choices)):
        return Asked(question, given, "")
    text = "\n".join(message["content"] for message in row.prompt) or question
    if text is None:
        return None
    stem, options = split_prompt(text)
    known = question is not None and question.strip() in stem
    last = question.strip() if question is not None and known else only_question(stem)
    before, _, after = stem.rpartition(last)
    return Asked(last, options, before + after)


def _given(choices: Mapping[str, object]) -> dict[str, str]:
    return {letter: str(text) for letter, text in choices.items() if text is not None}


def _told(place: Place, first: Place, said: str) -> tuple[str, str]:
    other = ", which has another gold answer" if place.contradicts(first) else ""
    if first.file != place.file:
        return "leak", f"{said} {first.file}, {first.where}{other}"
    return "contradiction" if other else "duplicate", f"{said} {first.where}{other}"
