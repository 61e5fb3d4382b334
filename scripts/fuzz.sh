#!/usr/bin/env bash
# Runs the fuzzing of all foreign file formats at its full count (100,000 safetensors headers, 20,000 files of each other kind) and
# prints a table. The inputs are the same on every run.
#   scripts/fuzz.sh [SCALE]     SCALE multiplies the counts: 1 by default, 0.05 as in the tests
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
project=LlmStageAudit.Checkpoints.Tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STAGEAUDIT_FUZZ_SCALE=${1:-1} STAGEAUDIT_FUZZ_REPORT=$work/rows DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
touch "$work/rows"

if ! (cd "$root" && dotnet build "tests/$project" -c Release -v quiet --tl:off) >"$work/build" 2>&1; then
  cat "$work/build" >&2
  exit 1
fi

code=0
dotnet test "$root/artifacts/bin/$project/release/$project.dll" --filter "FullyQualifiedName~.Fuzzing." \
  --blame-hang-timeout 30m --blame-hang-dump-type none --results-directory "$work/results" >"$work/log" 2>&1 || code=$?

echo "| format | inputs | loads | typed errors | slowest input | largest allocation |"
echo "| --- | ---: | ---: | ---: | ---: | ---: |"
sort "$work/rows"
if ((code != 0)); then cat "$work/log" >&2; fi
exit "$code"
