"""A tiny Qwen2 model and tokenizer, made from nothing: `python -m dianjin_ext.quickstart.model`."""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from dianjin_ext.resources import chat_template

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
CORPUS_ROWS = 3000  # enough for the merges; more only takes longer


def build_tokenizer(texts: Iterable[str], *, vocabulary: int) -> PreTrainedTokenizerFast:
    """Train byte-level BPE on `texts`; option letters stay tokens of their own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("[A-J](?![a-z])"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, chat_template=CHAT_TEMPLATE
    )


def build_model(
    tokenizer: PreTrainedTokenizerFast, *, hidden: int, layers: int, seed: int
) -> Qwen2ForCausalLM:
    """Return a randomly initialised Qwen2 in float32 with tied embeddings."""
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        # the usual 0.02 is for wide models; at this width it more than doubles the steps of SFT
        initializer_range=hidden**-0.5,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model


def rendered(rows: Iterable[Mapping[str, str]], template: str) -> list[str]:
    """Return what a model reads of rows of SFT under a chat template, without special tokens."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    made = environment.from_string(template)
    return [
        made.render(
            messages=[
                {"role": "user", "content": row["instruction"]},
                {"role": "assistant", "content": row["output"]},
            ],
            eos_token="",
        )
        .replace(START, "")
        .replace(END, "")
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Build both from rows of SFT and save them."""
    parser = argparse.ArgumentParser(prog="python -m dianjin_ext.quickstart.model")
    parser.add_argument("rows", type=Path, help="of SFT, as JSON")
    parser.add_argument("out", type=Path)
    parser.add_argument("--template", help="of configs/template, that it will read; else ChatML")
    parser.add_argument("--vocabulary", type=int, default=1200)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    template = chat_template(given.template) if given.template is not None else CHAT_TEMPLATE
    rows = json.loads(given.rows.read_text(encoding="utf-8"))[:CORPUS_ROWS]
    tokenizer = build_tokenizer(rendered(rows, template), vocabulary=given.vocabulary)
    tokenizer.chat_template = template
    shape = {"hidden": given.hidden, "layers": given.layers}
    model = build_model(tokenizer, **shape, seed=given.seed)
    model.save_pretrained(given.out)
    tokenizer.save_pretrained(given.out)
    print(f"{model.num_parameters()} parameters, {len(tokenizer)} tokens")


if __name__ == "__main__":
    main()
