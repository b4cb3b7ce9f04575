#!/usr/bin/env bash
# Make the environments, one for each host: .venv/verl, .venv/llamafactory and .venv/evalscope, which
# has inspect-ai too; `environments.sh NAME…` makes those alone. Fast when they are there already.
# PYTHON chooses another interpreter (3.11 or 3.12);
# UV_TORCH_BACKEND=cpu fetches PyTorch's smaller CPU build where its index can be reached.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON=${PYTHON:->=3.11,<3.13}

if command -v uv >/dev/null; then
  UV=uv
else
  UV=.venv/uv/bin/uv
  [ -x "$UV" ] || { python3 -m venv .venv/uv && .venv/uv/bin/pip install --quiet uv; }
fi

make_environment() { # name, extras, options of uv pip install
  local folder=.venv/$1 stamp=.venv/$1/.installed
  [ "$stamp" -nt pyproject.toml ] && return
  echo "installing $folder"
  [ -x "$folder/bin/python" ] || "$UV" venv --quiet --python "$PYTHON" "$folder"
  "$UV" pip install --quiet ${3:-} --python "$folder/bin/python" --editable ".[$2]"
  touch "$stamp"
}

# verl starts a dozen processes that import the same modules: compile them once, here
COMPILE=--compile-bytecode

[ $# -gt 0 ] || set -- verl llamafactory evalscope
for name in "$@"; do
  case $name in
    verl) make_environment verl verl,data,eval,judge,dev,dev-s3 $COMPILE ;;
    llamafactory) make_environment llamafactory llamafactory,data,eval,judge,dev $COMPILE ;;
    evalscope) make_environment evalscope evalscope,inspect,eval,judge,dev ;;
    *) echo "no environment $name; known: verl llamafactory evalscope" >&2 && exit 2 ;;
  esac
done
