#!/usr/bin/env bash
# A published system from questions to a served model, one stage at a time:
#
#   bash examples/recipe.sh fin_r1                                    # shows its stages and their commands
#   bash examples/recipe.sh fin_r1 data files.finqa=train.json        # a teacher answers, filters choose
#   bash examples/recipe.sh fin_r1 sft                                # teach the layout and the reasoning
#   bash examples/recipe.sh fin_r1 rl                                 # reward what is right
#   bash examples/recipe.sh fin_r1 merge                              # a checkpoint becomes a model
#   bash examples/recipe.sh fin_r1 eval finqa --data finqa=test.json  # how good it is, by its protocol
#   bash examples/recipe.sh fin_r1 serve                              # let others ask it
#
# Which recipes there are: `dianjin recipe`. The commands are those that `dianjin recipe NAME STAGE`
# shows; what follows STAGE is added to them, as key=value or options of the program.
#
#   SIZE=32b METHOD=lora,gspo bash examples/recipe.sh dianjin_r1 rl
#   SIZE=tiny PLATFORM=cpu MODEL=… bash examples/recipe.sh fino1 rl     # without a GPU
#
# Each stage runs in the environment of its program: `sft` in LLaMA-Factory's, the others in verl's.
# Stopped, data, rl and eval go on with the same command; sft does with overwrite_output_dir=false.
# Paths are relative to the folder that holds configs/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $# -gt 0 ]] || exec dianjin recipe
RECIPE=$1
[[ $# -gt 1 ]] || exec dianjin recipe "$RECIPE"
STAGE=$2
[[ $STAGE != -* ]] || exec dianjin recipe "$RECIPE" "$STAGE"
shift 2

fail() {
    echo "error: $1" >&2
    exit 1
}

SIZE=${SIZE:-}             # a file in configs/size; the recipe's first unless you say otherwise
PLATFORM=${PLATFORM:-gpu}  # a file in configs/platform: gpu, megatron, cpu
METHOD=${METHOD:-}         # files in configs/method, with commas between them

choice=(--platform "$PLATFORM" ${SIZE:+--size "$SIZE"})
IFS=', ' read -ra methods <<<"$METHOD"
for method in ${methods[@]+"${methods[@]}"}; do
    [[ -z $method ]] || choice+=(--method "$method")
done
choice+=(${MODEL:+--model "$MODEL"})
# One server, asked without a key, in the place of the teachers and judges of data and RL.
choice+=(${ASK_URL:+--ask-url "$ASK_URL"} ${ASK_MODEL:+--ask-model "$ASK_MODEL"})

# Knobs. Unset, each is as in configs/, or as the recipe's earlier stages left it. MODEL is what the
# stage trains, asks or serves.

for_hydra() { # a path as hydra reads it: in quotes where it needs them; lists stay as they are
    case $1 in
    [[\"\']* | *,*) printf '%s' "$1" ;;
    *[!A-Za-z0-9_/.:@%+-]* | [0-9]*) printf '"%s"' "${1//\"/\\\"}" ;;
    *) printf '%s' "$1" ;;
    esac
}

before_sft() {
    # Several machines: the same command on each, with the address of the first and its own rank:
    #   NNODES=2 NODE_RANK=0 MASTER_ADDR=10.0.0.1 bash examples/recipe.sh dianjin_r1 sft
    #   NNODES=2 NODE_RANK=1 MASTER_ADDR=10.0.0.1 bash examples/recipe.sh dianjin_r1 sft
    # torchrun must be on PATH: activate the environment. LLaMA-Factory splits its arguments at
    # spaces, so no value may contain one; write such a value into the YAML.
    knobs=(
        ${DATASET:+"dataset=$DATASET"}
        ${DATASET_DIR:+"dataset_dir=$DATASET_DIR"}
        ${OUTPUT_DIR:+"output_dir=$OUTPUT_DIR"}
    )
    [[ -z ${CONFIG:-} || -f $CONFIG ]] || fail "there is no file CONFIG=$CONFIG in $PWD"
    read_commands ${knobs[@]+"${knobs[@]}"} "$@" # an export after it depends on them
    if [[ -n ${CONFIG:-} ]]; then main=("${main[@]/#configs\/sft*.yaml/$CONFIG}"); fi
    knobs=()
    local ranks=8
    if [[ $PLATFORM == cpu ]]; then ranks=2; fi
    export NPROC_PER_NODE=${GPUS_PER_NODE:-$ranks}
    export NNODES=${NNODES:-1} NODE_RANK=${NODE_RANK:-0}
    export MASTER_ADDR=${MASTER_ADDR:-127.0.0.1} MASTER_PORT=${MASTER_PORT:-29500}
}

before_rl() {
    # Several machines (32B takes two): the same environment and the same paths on each, with model,
    # data and OUTPUT_DIR on storage that all of them share. Start Ray on the first, join the others,
    #   ray start --head --port=6379
    #   ray start --address=FIRST:6379
    # then run this on the first one only. NNODES counts all machines. It stops at once if the cluster
    # has too few GPUs. Several TRAIN_FILES are a list, [a.parquet,b.parquet]. To merge
    # while training: trainer.checkpoint_callback_class=dianjin_ext.hosts.verl.checkpoint.MergeOnSave
    knobs=(
        ${TRAIN_FILES:+"data.train_files=$(for_hydra "$TRAIN_FILES")"}
        ${VAL_FILES:+"data.val_files=$(for_hydra "$VAL_FILES")"}
        ${OUTPUT_DIR:+"trainer.default_local_dir=$(for_hydra "$OUTPUT_DIR")"}
        ${EXPERIMENT_NAME:+"trainer.experiment_name=$(for_hydra "$EXPERIMENT_NAME")"}
        ${NNODES:+"trainer.nnodes=$NNODES"}
        ${GPUS_PER_NODE:+"trainer.n_gpus_per_node=$GPUS_PER_NODE"}
    )
    # The console shows a line a step, warnings and errors; LOG (its first line names it) has all
    # that verl prints. VERBOSE=1 shows everything and writes no log.
    case " $* " in # hydra only prints something
    *" --cfg "* | *" -c "* | *" --help "* | *" --info "*) VERBOSE=1 ;;
    esac
    export PYTHONUNBUFFERED=1
    if [[ ${VERBOSE:-0} == 0 ]]; then
        LOG=${LOG:-logs/$RECIPE-$STAGE-$(date +%Y%m%d-%H%M%S).log}
        console=(python -m dianjin_ext.hosts.verl.console "$LOG")
    fi
}

before_serve() {
    # The knobs of examples/serve.sh; requests that name none are sampled as the rollouts were.
    local at
    for at in "${!main[@]}"; do
        case ${main[at]} in
        TEMPERATURE=*) main[at]=TEMPERATURE=${TEMPERATURE:-${main[at]#*=}} ;;
        TOP_P=*) main[at]=TOP_P=${TOP_P:-${main[at]#*=}} ;;
        esac
    done
}

# The words of a command end in a null character each, and one more ends the command. The first does
# the work; after SFT of an adapter, a second puts it into the model.
read_commands() { # WORD…: added to the first
    local word
    main=() after=() ended=0
    while IFS= read -r -d '' word; do
        if [[ -z $word ]]; then
            ended=$((ended + 1))
        elif [[ $ended -eq 0 ]]; then
            main+=("$word")
        else
            after+=("$word")
        fi
    done < <(dianjin recipe "$RECIPE" "$STAGE" "${choice[@]}" --null -- "$@")
    [[ $ended -gt 0 ]] || exit 1 # dianjin has said why
}
read_commands

knobs=() console=()
case " ${main[*]} " in
*" llamafactory-cli train "*)
    before_sft "$@"
    set --
    ;;
*" verl.trainer.main_ppo "*) before_rl "$@" ;;
*" examples/serve.sh "*) before_serve ;;
*" dianjin merge "*"/global_step_N "*)
    fail "there is no checkpoint in ${main[2]%/*} yet: run this recipe's RL first, or name another one \
to dianjin merge"
    ;;
esac

whole=(
    ${console[@]+"${console[@]}"}
    "${main[@]}"
    ${knobs[@]+"${knobs[@]}"}
    "$@"
)
[[ ${#after[@]} -gt 0 ]] || exec "${whole[@]}"
"${whole[@]}"
exec "${after[@]}"
