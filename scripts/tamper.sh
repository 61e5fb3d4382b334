#!/usr/bin/env bash
# Tampers with a sealed run in full: 500 flipped bits anywhere in it and 105 edits on purpose, each of which verify-log must find and name.
# What is done is the same on every run. Files the counts as tests/benchmarks/results/tamper.md.
#   scripts/tamper.sh [FLIPS [EDITS]]
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
project=LlmStageAudit.Cli.Tests
result=$root/tests/benchmarks/results/tamper.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STAGEAUDIT_TAMPER_FLIPS=${1:-500} STAGEAUDIT_TAMPER_EDITS=${2:-105} STAGEAUDIT_TAMPER_REPORT=$work/rows
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
touch "$work/rows"

if ! (cd "$root" && dotnet build "tests/$project" -c Release -v quiet --tl:off) >"$work/build" 2>&1; then
  cat "$work/build" >&2
  exit 1
fi

seconds=$SECONDS
if ! dotnet test "$root/artifacts/bin/$project/release/$project.dll" --filter "FullyQualifiedName~.TamperCampaignTests." \
  --blame-hang-timeout 30m --blame-hang-dump-type none --results-directory "$work/results" >"$work/log" 2>&1; then
  cat "$work/log" >&2
  exit 1
fi

{
  cat <<END
# Tampering with a sealed run

Date: $(date -u +%F). Machine: $(uname -sm), $(nproc) cores, .NET $(dotnet --version). Command: \`scripts/tamper.sh${*:+ $*}\`, $((SECONDS - seconds)) s
(what is done is the same on every run; the counts do not depend on the machine).

| what | where | done | found and named |
| --- | --- | ---: | ---: |
END
  cat "$work/rows"
  awk -F'|' '{ done += $4; found += $5 } END { printf "| all | | %d | %d |\n", done, found }' "$work/rows"
  cat <<'END'

The run: a tiny GPT-NeoX with LoRA, three stages of twelve steps, trained and sealed by `train`. Bits are drawn uniformly over all bytes of
all files of the run folder. Each time `verify-log` must end with exit code 4 and name the right file; in a log also the right record, which
is worked out from the untouched bytes by a second reader of the format; and blame no other file (bits) or no other record (most edits).

What no check of the folder alone can find: a run that someone trains anew and seals anew in the place of this one. That is what the
signature is for (`sign`, `verify-log --signers`). Someone who does not train but computes all hashes and seals anew is found by
`verify-log --replay`, which walks the logged gradients to every stage's end and executes steps again.
END
} >"$result"
cat "$result"
