#!/usr/bin/env bash
# Breaks commands off everywhere and looks at what is left: processes killed, power lost, a disk that is full, fails or writes half. Files the
# figures under tests/benchmarks/results/crash.md; exits with 1 where a case went wrong, which it then shows.
#   scripts/crash.sh [POINTS]     kills, 200 by default; a fifth as many losses of power; faults at every call of train
# STAGEAUDIT_CRASH_MINUTES ends each of the three after a time, with the points made until then. Needs Linux, a C compiler, and some twenty minutes of a quiet machine of two cores.
set -euo pipefail

points=${1:-200}
root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
project=LlmStageAudit.EndToEnd.Tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 STAGEAUDIT_CRASH_REPORT=$work
export STAGEAUDIT_CRASH_KILLS=$points STAGEAUDIT_CRASH_POWER=$((points / 5)) STAGEAUDIT_CRASH_FAULT_STRIDE=${STAGEAUDIT_CRASH_FAULT_STRIDE:-1}
touch "$work/kills" "$work/power" "$work/injected" "$work/faults"

if ! (cd "$root" && dotnet build "tests/$project" -c Release -v quiet --tl:off) >"$work/build" 2>&1; then
  cat "$work/build" >&2
  exit 1
fi

load=$(cut -d' ' -f1 /proc/loadavg)
code=0
dotnet test "$root/artifacts/bin/$project/release/$project.dll" --filter "FullyQualifiedName~.Crashes." \
  --blame-hang-timeout 60m --blame-hang-dump-type none --results-directory "$work/results" >"$work/log" 2>&1 || code=$?

total() { awk -F'|' -v column="$2" '{ sum += $column } END { print sum + 0 }' "$work/$1"; }

{
  cat <<HEAD
# Crashes and faults

- Machine: $(nproc) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB memory, $(. /etc/os-release && echo "$PRETTY_NAME") $(uname -m); load average $load in the minute before
- Versions: .NET $(dotnet --version) (SDK)
- Command: \`${STAGEAUDIT_CRASH_MINUTES:+STAGEAUDIT_CRASH_MINUTES=$STAGEAUDIT_CRASH_MINUTES }scripts/crash.sh $points\`
- Date: $(date -u +%F)

A tiny audit: a GPT-NeoX of 2 layers, LoRA, three stages of 6, 2 and 3 steps; \`attribute\` exports adapters, \`retrain\` runs two jobs. A library
between the command and the system (\`native/faults.c\`) counts every call that changes a file and strikes at one of them. Then the command is run
again, and **every file** is compared with an undisturbed run, to the byte; of JSON files all but times. \`verify-log\` proves every run.

## Killed

SIGKILL, half of them at a random call (some in the middle of a write), half at a random time; in a third of the cases the command that goes on is killed
too. Identical: the files at the end are those of an undisturbed run.

| command | points | struck | struck twice | identical | whole records found | lost | files of completed stages rewritten |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
HEAD
  sort "$work/kills"
  echo "| all | $(total kills 3) | $(total kills 4) | $(total kills 5) | $(total kills 6) | $(total kills 7) | $(total kills 8) | $(total kills 9) |"
  cat <<'POWER'

## Power lost

The process is killed, and the folder becomes what a disk holds at worst: of every file its content at its last flush, of every folder its entries at
its last flush. In a third of the cases files keep their length, with zeros, and in a third with garbage. Records are those of stages that a later one was
begun after, and, where only flushed content is left, all that are left.

| command | points | struck | struck twice | identical | records promised | lost | files of completed stages rewritten |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
POWER
  sort "$work/power"
  echo "| all | $(total power 3) | $(total power 4) | $(total power 5) | $(total power 6) | $(total power 7) | $(total power 8) | $(total power 9) |"
  cat <<'INJECTED'

## A disk that is full or fails

Done: the fault hit what no result needs, such as clearing up. Stopped: exit code 75, run again to go on. Failed: exit code 1 and one line that says what
happened. Identical: run again without the fault, the files at the end are those of an undisturbed run.

| command | fault | points | done | stopped | failed | identical |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
INJECTED
  sort "$work/injected"
  echo "| all | | $(total injected 4) | $(total injected 5) | $(total injected 6) | $(total injected 7) | $(total injected 8) |"
} >"$work/crash.md"

if [[ -s $work/faults ]]; then cat "$work/faults" >&2; fi
if ((code != 0)); then
  cat "$work/log" >&2
  cat "$work/crash.md"
  exit "$code"
fi

cp "$work/crash.md" "$root/tests/benchmarks/results/crash.md"
cat "$work/crash.md"
