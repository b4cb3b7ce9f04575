"""Raw data sets to training rows: readers, prompts, splits and the two row formats."""

from dianjin_ext.data.schema import sft_row, verl_row, write_parquet, write_sft
from dianjin_ext.questions.prompts import format_response, multiple_choice_prompt

__all__ = [
    "format_response",
    "multiple_choice_prompt",
    "sft_row",
    "verl_row",
    "write_parquet",
    "write_sft",
]
