"""For which family of models each template is, conversations, and what SFT makes of them."""

from llamafactory.data.processor import SupervisedDatasetProcessor
from llamafactory.data.template import get_template_and_fix_tokenizer
from llamafactory.hparams import DataArguments
from transformers import AutoTokenizer

FAMILIES = {
    "dianjin": "chatml",
    "dianjin_qwen3": "qwen3",
    "dianjin_qwen3_thinking": "qwen3-thinking",
    "dianjin_llama3": "llama3.1",
    "dianjin_r1_zero": "base",
}
SYSTEM = {"role": "system", "content": '  你是一名财务分析师。 It\'s "quoted" \\ {% y %}'}
ZH = {"role": "user", "content": "下列哪一项属于流动负债？\nA. 存货\nB. 应付账款"}
EN = {"role": "user", "content": "  What was the margin?\n\n{{x}} It's 8%? \\boxed{}\n"}
PLAIN = {"role": "assistant", "content": "<answer>\\boxed{B}</answer>"}
THOUGHT = {"role": "assistant", "content": "<think>看期限：\n一年。</think>\n" + PLAIN["content"]}
SPACED = {"role": "assistant", "content": "The margin.  \n"}
PROMPTS = {
    "zh": [ZH],
    "en": [EN],
    "system": [SYSTEM, ZH],
    "turns": [EN, THOUGHT, ZH],
    "plain_turns": [ZH, PLAIN, EN, SPACED, ZH],
    "system_turns": [SYSTEM, ZH, THOUGHT, EN, PLAIN, ZH],
}
# Of a template: whether rows and prompts think, as LLaMA-Factory has it, and the reply.
CASES = [
    ("dianjin", True, THOUGHT),
    ("dianjin", True, SPACED),
    ("dianjin_qwen3", True, THOUGHT),
    ("dianjin_qwen3", True, PLAIN),  # an empty thought is trained
    ("dianjin_qwen3", False, PLAIN),  # and here it is in the prompt
    ("dianjin_qwen3", None, THOUGHT),
    ("dianjin_qwen3", None, SPACED),
    ("dianjin_qwen3_thinking", True, THOUGHT),
    ("dianjin_qwen3_thinking", False, THOUGHT),  # such a model can't be told
    ("dianjin_llama3", True, THOUGHT),
    ("dianjin_llama3", True, SPACED),
    ("dianjin_r1_zero", True, THOUGHT),
    ("dianjin_r1_zero", True, SPACED),
]


def load(models, name, thinking=True, default_system=None):
    """Return LLaMA-Factory's processor of SFT rows and the tokenizer that it would save."""
    tokenizer = AutoTokenizer.from_pretrained(models[FAMILIES[name]])
    arguments = DataArguments(
        template=name, default_system=default_system, cutoff_len=4096, enable_thinking=thinking
    )
    template = get_template_and_fix_tokenizer(tokenizer, arguments)
    return SupervisedDatasetProcessor(template, tokenizer, None, arguments), tokenizer


def trained(processor, prompt, reply):
    """Return what SFT feeds: the tokens before the last reply, and those of it."""
    system = prompt[0]["content"] if prompt[0]["role"] == "system" else ""
    turns = [message for message in prompt if message["role"] != "system"]
    given = (turns, [reply], system, "", [], [], [])
    input_ids, labels = processor._encode_data_example(*given)
    start = max(i for i, label in enumerate(labels) if label == -100) + 1
    assert input_ids[start:] == labels[start:]
    return input_ids[:start], labels[start:]


def told(thinking, reply):
    """Return what a rollout or a request tells the chat template."""
    if thinking is None:
        thinking = "<think>" in reply["content"]
    return {} if thinking else {"enable_thinking": False}


def render(tokenizer, messages, asking, **options):
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=asking, return_dict=False, **options
    )
