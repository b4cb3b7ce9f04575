"""Train two GRPO steps with TRL on our reward; run by test_trl with the TRL asked for.

    python grpo_run.py MODEL TRAIN.parquet OUT

OUT/result.json gets what TRL logged and what our reward saw.
"""

import json
import sys
from pathlib import Path

import transformers
import trl
from datasets import load_dataset
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from dianjin_ext.hosts.trl import reward
from dianjin_ext.rewards import register_component


def main(model, train, out):
    seen, logged = [], []

    # An untrained model never finds the format; what it writes differs in length, though.
    @register_component("test_length")
    def length(sample, _):
        seen.append({"text": sample.text, "extra_info": dict(sample.extra_info)})
        return len(sample.text) / 100

    class Keep(TrainerCallback):
        def on_log(self, args, state, control, logs, **_):
            logged.append(logs)

    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward(weights={"acc": 1.0, "test_length": 1.0}, max_response_tokens=8),
        args=GRPOConfig(
            output_dir=out,
            max_steps=2,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=8,
            logging_steps=1,
            use_cpu=True,
            bf16=False,
            report_to=[],
            save_strategy="no",
        ),
        train_dataset=load_dataset("parquet", data_files=train, cache_dir=f"{out}/cache")["train"],
        processing_class=PreTrainedTokenizerFast.from_pretrained(
            model, model_input_names=["input_ids", "attention_mask"]
        ),
        callbacks=[Keep()],
    )
    trainer.train()
    versions = {"trl": trl.__version__, "transformers": transformers.__version__}
    result = {"seen": seen, "logged": logged, "versions": versions}
    Path(out, "result.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
