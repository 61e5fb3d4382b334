#!/usr/bin/env bash
# Runs the fuzzing of every format that is read, at its full count (over a million inputs), and prints a table. The inputs are the
# same on every run.
#   scripts/fuzz.sh [SCALE]     SCALE multiplies the counts: 1 by default, 0.02 as in the tests
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
projects=(LlmStageAudit.Checkpoints.Tests LlmStageAudit.Records.Tests LlmStageAudit.Seals.Tests LlmStageAudit.Reporting.Tests)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STAGEAUDIT_FUZZ_SCALE=${1:-1} STAGEAUDIT_FUZZ_REPORT=$work/rows DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
touch "$work/rows"

code=0
for project in "${projects[@]}"; do
  if ! (cd "$root" && dotnet build "tests/$project" -c Release -v quiet --tl:off) >"$work/build" 2>&1; then
    cat "$work/build" >&2
    exit 1
  fi

  dotnet test "$root/artifacts/bin/$project/release/$project.dll" --filter "FullyQualifiedName~.Fuzzing." \
    --blame-hang-timeout 60m --blame-hang-dump-type none --results-directory "$work/results" >>"$work/log" 2>&1 || code=$?
done

echo "| format | inputs | loads | typed errors | slowest input | largest allocation |"
echo "| --- | ---: | ---: | ---: | ---: | ---: |"
sort "$work/rows"
awk -F'|' '{ inputs += $3; loads += $4; errors += $5 } END { printf "| all | %d | %d | %d | | |\n", inputs, loads, errors }' "$work/rows"
if ((code != 0)); then cat "$work/log" >&2; fi
exit "$code"
