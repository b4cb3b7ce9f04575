"""Tokenise prompts the way verl's rollout does; run by test_templates with verl's Python.

    python verl_prompts.py REQUEST.json ANSWER.json

REQUEST holds `prompts`, a list of conversations, and `tokenizers`, a name to `path`, a saved
tokenizer's directory, `options`, what the chat template is told, and `template`, a file of
configs/template that verl is given, or null. ANSWER gets, for each name, the token ids that verl's
agent loop sends to its server.
"""

import asyncio
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from verl.experimental.agent_loop.agent_loop import DictConfigWrap
from verl.experimental.agent_loop.single_turn_agent_loop import SingleTurnAgentLoop
from verl.utils import hf_tokenizer
from verl.utils.dataset.rl_dataset import RLHFDataset

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
LENGTHS = {"prompt_length": 1024, "response_length": 8}


async def rollout_prompts(parquet, cache, *, path, options, template):
    tokenizer, config = hf_tokenizer(path), Path(path, "config.json")
    if template:
        with initialize_config_dir(str(CONFIGS), version_base=None):
            composed = compose("rl", overrides=[f"+template={template}"])
        tokenizer.chat_template = composed.actor_rollout_ref.model.custom_chat_template
    data = OmegaConf.create(
        {"max_prompt_length": 1024, "cache_dir": cache, "apply_chat_template_kwargs": options}
    )
    dataset = RLHFDataset(parquet, tokenizer, data)
    loop = SingleTurnAgentLoop(
        trainer_config=DictConfigWrap(
            OmegaConf.create({"actor_rollout_ref": {"rollout": LENGTHS}, "data": data})
        ),
        server_manager=None,
        tokenizer=tokenizer,
        processor=None,
        dataset_cls=RLHFDataset,
        data_config=DictConfigWrap(data),
        hf_model_type=json.loads(config.read_text())["model_type"] if config.exists() else "qwen2",
    )
    return [
        await loop.ct_build_initial_tokens(list(dataset[i]["raw_prompt"]))
        for i in range(len(dataset))
    ]


def main(request_file, answer_file):
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    folder = Path(answer_file).parent
    parquet = str(folder / "prompts.parquet")
    rows = [{"prompt": prompt, "data_source": "cflue_mcq"} for prompt in request["prompts"]]
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    answer = {
        name: asyncio.run(rollout_prompts(parquet, str(folder / "cache"), **how))
        for name, how in request["tokenizers"].items()
    }
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
