"""What the batch agent loop hands on, against what verl's own hands on."""

import pytest

pytest.importorskip("verl")

import torch
from tensordict import NonTensorData, NonTensorStack, TensorDict
from verl.experimental.agent_loop import AgentLoopOutput
from verl.experimental.agent_loop.agent_loop import AgentLoopMetrics

from dianjin_ext.hosts.verl.cpu.agent_loop import _reward_batch, _unstack


def test_unstack_gives_each_row_its_own_values():
    batch = TensorDict(
        {
            "index": torch.arange(2),
            "raw_prompt": NonTensorStack(
                [{"role": "user"}], [{"role": "system"}, {"role": "user"}]
            ),
            "extra_info": NonTensorStack({"split": "a"}, {"split": "b"}),
            "global_steps": NonTensorData(7),
        },
        batch_size=[2],
    )
    assert _unstack(batch) == [
        {
            "index": 0,
            "raw_prompt": [{"role": "user"}],
            "extra_info": {"split": "a"},
            "global_steps": 7,
        },
        {
            "index": 1,
            "raw_prompt": [{"role": "system"}, {"role": "user"}],
            "extra_info": {"split": "b"},
            "global_steps": 7,
        },
    ]


def test_reward_batch_keeps_prompts_and_responses_apart():
    lengths = [(2, 3), (5, 1)]
    outputs = [
        AgentLoopOutput(
            prompt_ids=list(range(10, 10 + prompt)),
            response_ids=list(range(20, 20 + response)),
            response_mask=[1] * response,
            num_turns=2,
            metrics=AgentLoopMetrics(),
        )
        for prompt, response in lengths
    ]
    data = _reward_batch([{"raw_prompt": ["a"]}, {"raw_prompt": ["b", "c"]}], outputs)
    for item, output, (prompt, response) in zip(data, outputs, lengths, strict=True):
        width = item.batch["prompts"].shape[-1]
        mask = item.batch["attention_mask"]
        assert (int(mask[:width].sum()), int(mask[width:].sum())) == (prompt, response)
        # how verl's reward managers find the response
        assert item.batch["responses"][: mask[width:].sum()].tolist() == output.response_ids
        assert item.batch["prompts"][mask[:width].bool()].tolist() == output.prompt_ids
        fields = item.non_tensor_batch
        assert (fields["prompt_len"], fields["response_len"]) == (prompt, response)
    assert data.non_tensor_batch["raw_prompt"].tolist() == [["a"], ["b", "c"]]
