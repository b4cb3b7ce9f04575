#!/usr/bin/env bash
# Serve a trained model behind an OpenAI-compatible API (vLLM 0.24).
#
#   bash examples/serve.sh
#   MODEL=experiments/DianJin-R1-7B/sft SERVED_NAME=r1 bash examples/serve.sh
#   LAYOUT=channels MODEL=… bash examples/serve.sh     # of gpt-oss
#   DRY_RUN=1 bash examples/serve.sh                   # shows the command, starts nothing
#
# After: `dianjin doctor --server http://127.0.0.1:8901` compares what is served with what was
# trained; `dianjin chat --base-url http://127.0.0.1:8901/v1` talks to it. docs/serving.md has more.
#
# The server listens on this machine only. To open it up: HOST=0.0.0.0, and VLLM_API_KEY for a key.
#
# Needs GPUs and `pip install "dianjin-ext[verl,vllm]"`. Without a GPU (small models):
#   python -m dianjin_ext.inference.local MODEL --port 8901
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

MODEL=${MODEL:-experiments/DianJin-R1-7B/rl/merged} # what `dianjin merge` wrote
SERVED_NAME=${SERVED_NAME:-$MODEL}
GPUS=${GPUS:-4} # tensor parallel size
HOST=${HOST:-127.0.0.1}
PORT=${PORT:-8901}
MAX_MODEL_LEN=${MAX_MODEL_LEN:-16384} # tokens, prompt and response; cutoff_len of the SFT

# How responses are laid out, the setting `tags` of the training: dianjin_r1, think_only, channels.
LAYOUT=${LAYOUT:-dianjin_r1}
# Who takes the reasoning out of the text, into the field `reasoning`. `qwen3` finds <think> as text
# or as token; with `deepseek_r1` vLLM doesn't start where the tags are no tokens, as in Qwen2.5 and
# Llama. <answer> stays in the text. `none` leaves all of it as the model wrote it: for an evaluation
# of the format, since a parser hides a <think> that was never opened or never closed.
REASONING_PARSER=${REASONING_PARSER:-}
# What requests that name no temperature are sampled with. `vllm`: the two values below, those of
# DianJin-R1's rollouts. `auto`: the model's generation_config.json, which for Qwen2.5-Instruct means
# repetition_penalty 1.05, top_p 0.8 and top_k 20. Its end-of-turn tokens hold with both.
GENERATION_CONFIG=${GENERATION_CONFIG:-vllm}
TEMPERATURE=${TEMPERATURE:-0.6}
TOP_P=${TOP_P:-0.95}

fail() {
    echo "error: $1" >&2
    exit 1
}

# A name such as Qwen/Qwen2.5-7B is left to vLLM, which looks it up; a path must be there.
if [[ -d $MODEL ]]; then
    [[ -f $MODEL/config.json ]] ||
        fail "$MODEL holds no config.json; merge the checkpoint first: dianjin merge CKPT OUT"
elif [[ ! $MODEL =~ ^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._-]+$ || -d ${MODEL%%/*} ]]; then
    fail "there is no folder $MODEL in $PWD; name a model with MODEL=FOLDER or MODEL=OWNER/NAME"
fi

case $LAYOUT in
dianjin_r1 | think_only) parser=qwen3 ;;
channels) parser=openai_gptoss ;;
*) fail "LAYOUT is $LAYOUT; expected dianjin_r1, think_only or channels (with marks of your own: \
REASONING_PARSER=none)" ;;
esac
parser=${REASONING_PARSER:-$parser}

command=(
    vllm serve "$MODEL"
    --served-model-name "$SERVED_NAME"
    --tensor-parallel-size "$GPUS"
    --host "$HOST"
    --port "$PORT"
    --max-model-len "$MAX_MODEL_LEN"
    --generation-config "$GENERATION_CONFIG"
)
if [[ $GENERATION_CONFIG == vllm ]]; then
    defaults="{\"temperature\": $TEMPERATURE, \"top_p\": $TOP_P}"
    command+=(--override-generation-config "$defaults")
fi
[[ $parser == none ]] || command+=(--reasoning-parser "$parser")
command+=("$@") # more options of `vllm serve`; the last of two wins

if [[ -n ${DRY_RUN:-} ]]; then
    printf '%q ' "${command[@]}"
    echo
    exit
fi
exec "${command[@]}"
