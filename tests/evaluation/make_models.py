"""Tiny models of several families, made on the spot, each with a chat template of its own.

The templates are short restatements of the published ones: they put the same marks around turns and
read the same variables.
"""

from itertools import pairwise

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

CONTEXT = 2048
SAID = ("<think>", "Look it up.", "</think>", "<answer>\\boxed{bearish}</answer>")
"""What a parrot says, a token each."""

CHATML = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
QWEN25 = (  # a default system prompt of its own
    "{%- if messages[0].role != 'system' -%}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{%- endif -%}" + CHATML
)
# a reply keeps its thought where no question follows it, and gets an empty one if it is the last
_QWEN3 = (
    "{%- set asked = messages | map(attribute='role') | list -%}"
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\n' -}}"
    "{%- set parts = message.content.split('</think>') -%}"
    "{%- if message.role != 'assistant' -%}{{- message.content -}}"
    "{%- elif 'user' in asked[loop.index0:] -%}"
    "{{- parts[-1].lstrip('\n') if parts[1:] else parts[0] -}}"
    "{%- else -%}{{- '<think>\n' -}}"
    "{%- if parts[1:] -%}{{- parts[0].replace('<think>', '').strip('\n') -}}{%- endif -%}"
    "{{- '\n</think>\n\n' + parts[-1].lstrip('\n') -}}{%- endif -%}"
    "{{- '<|im_end|>\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' }}"
)
QWEN3 = (  # hybrid: thinking is on unless the request turns it off
    _QWEN3 + "{%- if enable_thinking is defined and enable_thinking is false -%}"
    "{{- '<think>\n\n</think>\n\n' }}{%- endif -%}{%- endif -%}"
)
QWEN3_THINKING = _QWEN3 + "{{- '<think>\n' }}{%- endif -%}"
OPENED = CHATML.replace("assistant\n' }}", "assistant\n<think>\n' }}")  # as R1's distillations
LLAMA31 = (
    "{{- bos_token }}"
    "{%- if not date_string is defined -%}{%- set date_string = '26 Jul 2024' -%}{%- endif -%}"
    "{%- if messages[0].role == 'system' -%}"
    "{%- set said = messages[0].content | trim -%}{%- set messages = messages[1:] -%}"
    "{%- else -%}{%- set said = '' -%}{%- endif -%}"
    "{{- '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n'"
    " + 'Today Date: ' + date_string + '\n\n' + said + '<|eot_id|>' }}"
    "{%- for message in messages -%}"
    "{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim"
    " + '<|eot_id|>' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif -%}"
)
# marks of a family: what begins a text (or nothing), what ends a turn, the others
_LLAMA = ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")
_QWEN = (None, "<|im_end|>", "<|im_start|>", "<|endoftext|>")
_BASE = (None, "<|endoftext|>", "<|im_end|>", "<|im_start|>")
FAMILIES = {
    "llama3.1": (LlamaForCausalLM, LlamaConfig, _LLAMA, LLAMA31),
    "qwen2.5": (Qwen2ForCausalLM, Qwen2Config, _QWEN, QWEN25),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, _QWEN, QWEN3),
    "qwen3-thinking": (Qwen3ForCausalLM, Qwen3Config, _QWEN, QWEN3_THINKING),
    "base": (Qwen2ForCausalLM, Qwen2Config, _BASE, None),
    "chatml": (LlamaForCausalLM, LlamaConfig, _QWEN, CHATML),
    "opened": (Qwen2ForCausalLM, Qwen2Config, _QWEN, OPENED),
}


def make_model(name, folder, *, parrot=False):
    """Save a model of a family in `folder`; its weights are random.

    A parrot says `SAID` and ends, whatever it is asked; without the opening tag where its template
    ends the prompt with that.
    """
    kind, config, marks, template = FAMILIES[name]
    tokenizer = _tokenizer(marks, template)
    torch.manual_seed(0)
    hidden = 256 if parrot else 32
    model = kind(
        config(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=hidden // 4,
            max_position_embeddings=CONTEXT,
            initializer_range=hidden**-0.5,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    if parrot:
        _teach(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(marks, template):
    begin, end, *others = marks
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = [mark for mark in (begin, end, *others) if mark]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(["user assistant system Is this tweet bullish or bearish?"], trainer)
    # the tags are tokens that are not special, as in Qwen3: they stay in the text
    raw.add_tokens([AddedToken(said, special=False, normalized=False) for said in SAID])
    if begin:  # every text that is not rendered by the template gets it, as in Llama 3
        raw.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, raw.token_to_id(begin))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token=begin,
        eos_token=end,
        pad_token=others[-1],
        chat_template=template,
    )


@torch.no_grad()
def _teach(model, tokenizer):
    """Let each token be followed by one other, by what the last layer makes of its embedding."""
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    messages = [{"role": "user", "content": "?"}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    said = tokenizer.convert_tokens_to_ids(list(SAID))
    opened = prompt[-4:].count(said[0])
    chain = [prompt[-1], *said[opened:], tokenizer.eos_token_id]
    head = model.lm_head.weight.zero_()
    for token, following in pairwise(chain):
        head[following] += model.model.embed_tokens.weight[token]
