#!/usr/bin/env bash
# GRPO of DianJin-R1 at 7B, on one machine with 8 GPUs of 80 GB each, on what `dianjin prepare` put into
# data/: the story and the knobs are in recipe.sh.
export TRAIN_FILES=${TRAIN_FILES:-data/rl/train.parquet} VAL_FILES=${VAL_FILES:-data/rl/val.parquet}
SIZE=${SIZE:-7b} exec "$(dirname "${BASH_SOURCE[0]}")/recipe.sh" dianjin_r1 rl "$@"
