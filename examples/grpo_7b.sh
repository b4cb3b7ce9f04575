#!/usr/bin/env bash
# GRPO at 7B, on one machine with 8 GPUs of 80 GB each: the story and the knobs are in grpo.sh.
SIZE=7b exec "$(dirname "${BASH_SOURCE[0]}")/grpo.sh" "$@"
