#!/usr/bin/env bash
# Stage 1 of DianJin-R1: teach Qwen2.5-7B-Instruct to reason (LLaMA-Factory, full fine-tuning).
#
#   bash examples/sft_7b.sh
#   MODEL=Qwen/Qwen2.5-32B-Instruct OUTPUT_DIR=… bash examples/sft_7b.sh learning_rate=5e-6
#
# Several machines: the same command on each, with the address of the first one and its own rank:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 bash examples/sft_7b.sh
#   NNODES=2 NODE_RANK=1 MASTER_ADDR=10.0.0.1 bash examples/sft_7b.sh
#
# Needs LLaMA-Factory's environment, activated (torchrun must be on PATH), and DeepSpeed:
#   pip install "dianjin-ext[llamafactory,deepspeed]"
# Paths are relative to the folder that holds configs/. LLaMA-Factory hands its arguments to torchrun
# split at spaces, so no value may contain one; write such a value into the YAML.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CONFIG=${CONFIG:-configs/sft.yaml}
MODEL=${MODEL:-Qwen/Qwen2.5-7B-Instruct}
DATASET=${DATASET:-dianjin_cflue_oe,dianjin_cflue_mcq,dianjin_finqa,dianjin_ccc}
DATASET_DIR=${DATASET_DIR:-data}
OUTPUT_DIR=${OUTPUT_DIR:-experiments/DianJin-R1-7B/sft}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
export NNODES=${NNODES:-1}
export NODE_RANK=${NODE_RANK:-0}
export MASTER_ADDR=${MASTER_ADDR:-127.0.0.1}
export MASTER_PORT=${MASTER_PORT:-29500}

export FORCE_TORCHRUN=1 # DeepSpeed needs torchrun even on a single GPU
export NPROC_PER_NODE=$GPUS_PER_NODE

exec llamafactory-cli train "$CONFIG" \
    model_name_or_path="$MODEL" \
    dataset="$DATASET" \
    dataset_dir="$DATASET_DIR" \
    output_dir="$OUTPUT_DIR" \
    "$@"
