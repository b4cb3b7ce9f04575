#!/usr/bin/env bash
# GRPO at 32B, on two machines with 8 GPUs of 80 GB each: the story and the knobs are in grpo.sh.
SIZE=32b exec "$(dirname "${BASH_SOURCE[0]}")/grpo.sh" "$@"
