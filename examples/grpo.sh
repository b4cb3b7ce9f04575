#!/usr/bin/env bash
# Stage 2 of DianJin-R1: GRPO on top of the fine-tuned model (verl, vLLM).
#
#   bash examples/grpo_7b.sh
#   MODEL=… TRAIN_FILES=… bash examples/grpo_32b.sh trainer.total_epochs=1
#
# Before: examples/sft_7b.sh wrote MODEL, `dianjin prepare` wrote the parquet files.
# After:  `dianjin merge OUTPUT_DIR/global_step_60 OUTPUT_DIR/merged`, then examples/serve.sh.
#         To merge while training:
#         trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave
#
# Several machines (32B takes two): the same environment and the same paths on each, with model,
# data and OUTPUT_DIR on storage that all of them share. Start Ray on the first and join the others,
#   ray start --head --port=6379
#   ray start --address=FIRST:6379
# then run this script on the first one only. NNODES counts all machines. It stops at once if the
# cluster has too few GPUs.
#
# The console shows a line a step, warnings and errors; LOG (its first line names it) has all that verl
# prints, its configuration and metrics too. VERBOSE=1 shows everything and writes no log.
#
# Needs GPUs and `pip install "dianjin-ext[verl,vllm,flash-attn]"`. Paths are relative to the folder
# that holds configs/; a path with a comma, a brace or a bracket needs hydra's quotes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SIZE=${SIZE:-7b} # a file in configs/size
PLATFORM=${PLATFORM:-gpu} # a file in configs/platform
# Unset, these are as in configs/: no second place for a default.
knobs=(
    ${MODEL:+"actor_rollout_ref.model.path=$MODEL"}
    ${TRAIN_FILES:+"data.train_files=$TRAIN_FILES"}
    ${VAL_FILES:+"data.val_files=$VAL_FILES"}
    ${OUTPUT_DIR:+"trainer.default_local_dir=$OUTPUT_DIR"}
    ${EXPERIMENT_NAME:+"trainer.experiment_name=$EXPERIMENT_NAME"}
    ${NNODES:+"trainer.nnodes=$NNODES"}
    ${GPUS_PER_NODE:+"trainer.n_gpus_per_node=$GPUS_PER_NODE"}
)

LOG=${LOG:-logs/grpo_$SIZE-$(date +%Y%m%d-%H%M%S).log}
console=(python -m dianjin_ext.hosts.verl.console "$LOG")
case " $* " in # hydra only prints something
*" --cfg "* | *" -c "* | *" --help "* | *" --info "*) VERBOSE=1 ;;
esac
if [ "${VERBOSE:-0}" != 0 ]; then console=(); fi

exec ${console[@]+"${console[@]}"} python -u -m verl.trainer.main_ppo \
    --config-path "$PWD/configs" --config-name rl \
    size="$SIZE" platform="$PLATFORM" \
    ${knobs[@]+"${knobs[@]}"} \
    "$@"
