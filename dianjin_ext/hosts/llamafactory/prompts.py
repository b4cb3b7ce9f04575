"""From the text that LLaMA-Factory's PPO trainer sends for grading back to the row it came from.

The trainer sends prompt and response as one decoded text, with special tokens and without the gold
answer. The rows' prompts are rendered here by LLaMA-Factory's own template and tokenizer, under the
training recipe's own settings, so the text begins with one of them, character for character; the
rest is the response.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from dianjin_ext.data.rows import Message, Rows, TrainingRow
from dianjin_ext.errors import DianjinError
from dianjin_ext.files import replacing
from dianjin_ext.hosts.grading import Response
from dianjin_ext.jsonl import BadRowError

__all__ = ["Prompts", "read_rows", "write_prompts"]


class Prompts(NamedTuple):
    """The rows by their rendered prompts.

    Attributes:
        rows: Rendered prompt to row.
        lengths: The lengths of the rendered prompts in characters, the longest first.
        special_tokens: What may stand at the end of a response.
        too_long: How many prompts are left out, since the trainer cuts them at `cutoff_len`.
    """

    rows: dict[str, TrainingRow]
    lengths: list[int]
    special_tokens: tuple[str, ...]
    too_long: int

    @classmethod
    def render(cls, rows: Iterable[TrainingRow], recipe: Mapping[str, Any]) -> "Prompts":
        """Render the prompts of rows as the trainer does.

        Args:
            rows: Each with a prompt of user and assistant turns, and perhaps a system message.
            recipe: LLaMA-Factory's training arguments; those about model and template are used.

        Raises:
            DianjinError: LLaMA-Factory is missing, the recipe names no model or template that it
                knows, or two rows have the same prompt and different gold answers.
        """
        try:
            from llamafactory.data.template import get_template_and_fix_tokenizer
            from llamafactory.hparams import DataArguments, ModelArguments
            from llamafactory.model import load_tokenizer
        except ModuleNotFoundError as error:
            raise DianjinError(
                "the reward server renders prompts with LLaMA-Factory; run it in its environment"
            ) from error
        try:
            tokenizer = load_tokenizer(_arguments(ModelArguments, recipe))["tokenizer"]
            arguments = _arguments(DataArguments, recipe)
            template = get_template_and_fix_tokenizer(tokenizer, arguments)
        except (OSError, TypeError, ValueError) as error:
            raise DianjinError(f"the recipe's model or template can't be used: {error}") from error
        rendered: dict[str, TrainingRow] = {}
        too_long = 0
        for row in rows:
            system, turns = _turns(row.prompt)
            messages = [*turns, {"role": "assistant", "content": ""}]
            ids, answer = template.encode_oneturn(tokenizer, messages, system)
            if len(ids) + len(answer) + template.efficient_eos > arguments.cutoff_len:
                too_long += 1
                continue
            text = tokenizer.decode(ids, skip_special_tokens=False)
            other = rendered.setdefault(text, row)
            if other.ground_truth != row.ground_truth or other.data_source != row.data_source:
                raise DianjinError(
                    f"two rows have the prompt {turns[-1]['content']!r:.80} and the gold answers "
                    f"{other.ground_truth!r} and {row.ground_truth!r}; keep one (see `dianjin "
                    "check-data`)"
                )
        lengths = sorted({len(text) for text in rendered}, reverse=True)
        return cls(rendered, lengths, tuple(tokenizer.all_special_tokens), too_long)

    def find(self, text: str) -> Response | None:
        """Return the response in a text and the row it answers; None where no prompt begins it.

        The end-of-sequence token is taken off; `extra_info` says in `truncated` whether there was
        none.
        """
        for length in self.lengths:
            row = self.rows.get(text[:length])
            if row is not None:
                response = text[length:]
                said = self._without_end(response)
                extra_info = {**row.extra_info, "truncated": said == response}
                return Response(row.data_source, said, row.ground_truth, extra_info)
        return None

    def _without_end(self, response: str) -> str:
        ended = True
        while ended:
            ended = False
            for token in self.special_tokens:
                if token and response.endswith(token):
                    response, ended = response.removesuffix(token), True
        return response


def read_rows(path: Path) -> list[TrainingRow]:
    """Return the rows of a file; see `dianjin_ext.data.rows.Rows`.

    Raises:
        DianjinError: The file can't be read, is empty, or has a row that is bad or has no prompt.
    """
    rows = []
    for where, row in Rows(path):
        if isinstance(row, BadRowError):
            raise DianjinError(f"{path}, {where}: {row}")
        if not row.prompt or row.prompt[-1]["role"] != "user":
            raise DianjinError(f"{path}, {where}: prompt: expected to end with a user message")
        rows.append(row)
    if not rows:
        raise DianjinError(f"{path}: expected rows to train on, found none")
    return rows


def write_prompts(rows: Iterable[TrainingRow], path: Path) -> None:
    """Write LLaMA-Factory's side of PPO: the prompts as `{"instruction", "output"}` rows.

    Raises:
        DianjinError: A prompt is more than one user message, which such a row can't hold.
    """
    lines = []
    for row in rows:
        if len(row.prompt) != 1:
            raise DianjinError(
                f"the prompt {row.prompt[-1]['content']!r:.80} has {len(row.prompt)} messages; "
                "expected one: give a system text as default_system in the recipe"
            )
        line = {"instruction": row.prompt[0]["content"], "output": ""}
        lines.append(json.dumps(line, ensure_ascii=False))
    with replacing(path) as temporary:
        temporary.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def _arguments(kind: Any, recipe: Mapping[str, Any]) -> Any:
    names = {field.name for field in fields(kind) if field.init}
    return kind(**{key: value for key, value in recipe.items() if key in names})


def _turns(prompt: list[Message]) -> tuple[str | None, list[Message]]:
    if prompt[0]["role"] == "system":
        return prompt[0]["content"], prompt[1:]
    return None, prompt
