#!/usr/bin/env bash
# Runs one benchmark and files its figures under tests/benchmarks/results/. Exits with 2 where what it needs is absent.
#   scripts/bench.sh tokenize    throughput beside Hugging Face's tokenizers (needs Node and the shared data)
#   scripts/bench.sh load        time and memory from a model folder to its first logits
#   scripts/bench.sh mnist       every estimator against retraining, on a perceptron that reads digits (needs the shared data)
#   scripts/bench.sh certify     the certified top stage beside exact replay of all stages, over ten runs with a planted cause
#   scripts/bench.sh significance  random groups of rows, and a planted one, called significant within a run
#   scripts/bench.sh comments    every estimator against retraining, on LoRA over real comments (needs the shared data)
#   scripts/bench.sh steps       scores of single steps against skipping them, planted steps, what a sweep costs (needs the shared data)
#   scripts/bench.sh estimate    foretold time, memory and disk beside the truth, over runs of eight kinds (needs the shared data)
#   scripts/bench.sh trust [RUNS]   the grades of trust against retraining: RUNS (110) small runs to calibrate on and as many others to test
#   scripts/bench.sh long        memory, files and threads over 5,000 steps
#   scripts/bench.sh logs        commands on logs of 100,000 steps (STAGEAUDIT_BEFORE: the dll of another build to set beside)
#   scripts/bench.sh determinism [FOLDER...]   runs again in other processes, with other threads, kernels and micro-batches, and on the
#                                libtorch of installed PyTorches
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
if (($# == 0)) || [[ $# -gt 1 && $1 != determinism && $1 != trust ]]; then
  sed -n 's/^#   /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi

project=$root/tests/benchmarks/LlmStageAudit.Benchmarks
dotnet build "$project" --configuration Release --verbosity quiet --nologo >&2
case $1 in
  long | logs | determinism) dotnet build "$root/src/LlmStageAudit.Cli" --configuration Release --verbosity quiet --nologo >&2 ;;
esac
exec "$root/artifacts/bin/LlmStageAudit.Benchmarks/release/LlmStageAudit.Benchmarks" "$@"
