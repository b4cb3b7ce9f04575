#!/usr/bin/env bash
# Serve a trained model behind an OpenAI-compatible API (vLLM).
#
#   bash examples/serve.sh
#   MODEL=experiments/checkpoints/Qwen2.5-7B-Instruct-R1 SERVED_NAME=r1 bash examples/serve.sh
#
# The chat template is the one saved with the tokenizer, hence the one that was trained. The sampling
# defaults are those of the GRPO rollouts; a request may still override them. Without
# `--generation-config vllm` the base model's generation_config.json would apply, which for
# Qwen2.5-Instruct means repetition_penalty 1.05, top_p 0.8 and top_k 20.
#
# The server listens on this machine only. To open it up: HOST=0.0.0.0, and VLLM_API_KEY for a key.
#
# Needs GPUs and `pip install "dianjin-ext[verl,vllm]"`. Without a GPU, in LLaMA-Factory's
# environment (small models, one request at a time):
#   API_HOST=127.0.0.1 API_PORT=8901 llamafactory-cli api model_name_or_path=MODEL \
#       template=dianjin temperature=0.6 top_p=0.95 max_new_tokens=4096
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

MODEL=${MODEL:-experiments/checkpoints/Qwen2.5-7B-Instruct-GRPO/merged} # what `dianjin merge` wrote
SERVED_NAME=${SERVED_NAME:-$MODEL}
GPUS=${GPUS:-4} # tensor parallel size
HOST=${HOST:-127.0.0.1}
PORT=${PORT:-8901}
MAX_MODEL_LEN=${MAX_MODEL_LEN:-16384} # tokens, prompt and response; cutoff_len of the SFT
TEMPERATURE=${TEMPERATURE:-0.6}
TOP_P=${TOP_P:-0.95}

exec vllm serve "$MODEL" \
    --served-model-name "$SERVED_NAME" \
    --tensor-parallel-size "$GPUS" \
    --host "$HOST" \
    --port "$PORT" \
    --max-model-len "$MAX_MODEL_LEN" \
    --generation-config vllm \
    --override-generation-config "{\"temperature\": $TEMPERATURE, \"top_p\": $TOP_P}" \
    "$@"
