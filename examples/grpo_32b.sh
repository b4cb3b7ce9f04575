#!/usr/bin/env bash
# GRPO of DianJin-R1 at 32B, on two machines with 8 GPUs of 80 GB each: grpo_7b.sh at another size.
SIZE=32b exec "$(dirname "${BASH_SOURCE[0]}")/grpo_7b.sh" "$@"
