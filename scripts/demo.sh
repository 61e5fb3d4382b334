#!/usr/bin/env bash
# The whole story on generated comments, in a few minutes. Files go to demo-run in the current folder, or where --out says.
set -euo pipefail

scripts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
out=(--out demo-run)
for argument in "$@"; do
  case $argument in
    --out | --out=* | -o | -o=* | -h | --help | '-?') out=() ;;
  esac
done

exec "$scripts/stageaudit" demo "${out[@]}" "$@"
