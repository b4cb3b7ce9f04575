#!/usr/bin/env bash
# SFT of DianJin-R1 at 7B, on one machine with 8 GPUs of 80 GB each, on what `dianjin prepare` put into
# data/: the story and the knobs are in recipe.sh. Needs LLaMA-Factory's environment, activated, and
# DeepSpeed: pip install "dianjin-ext[llamafactory,deepspeed]"
#
#   MODEL=Qwen/Qwen2.5-32B-Instruct OUTPUT_DIR=… bash examples/sft_7b.sh learning_rate=5e-6
export DATASET=${DATASET:-dianjin_cflue_oe,dianjin_cflue_mcq,dianjin_finqa,dianjin_ccc}
export DATASET_DIR=${DATASET_DIR:-data}
SIZE=7b exec "$(dirname "${BASH_SOURCE[0]}")/recipe.sh" dianjin_r1 sft "$@"
