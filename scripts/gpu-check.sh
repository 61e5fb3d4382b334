#!/usr/bin/env bash
# Checks the tensor engine on a machine with a CUDA GPU: builds the bridge against a libtorch with CUDA and runs the tests of
# reference values and identities on the CPU of that libtorch, then on the GPU.
#   scripts/gpu-check.sh [--out FILE] [--device cuda:N]
# The libtorch is LIBTORCH=/path (an unpacked libtorch or the torch folder of a PyTorch installation), or else python3's torch.
# Needs the .NET SDK, g++ and cmake; nothing is installed. Ends with 0 where all passed, 1 where a test failed, 2 where the GPU or
# something to build with is missing.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
projects=(LibTorch Modeling Training Auditing Attribution)
artifacts=$root/artifacts/gpu
out=
device=cuda

fail() {
  echo "gpu-check: $1" >&2
  exit 2
}

usage() { sed -n 's/^#   scripts/usage: scripts/p' "${BASH_SOURCE[0]}"; }

while (($# > 0)); do
  case $1 in
    --out) out=${2:-} && [[ -n $out ]] || fail "--out needs a file" && shift 2 ;;
    --device)
      device=${2:-}
      [[ $device =~ ^cuda(:[0-9]+)?$ ]] || fail "--device '$device'; expected cuda or cuda:N"
      shift 2
      ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument '$1'" ;;
  esac
done

if [[ -n $out ]]; then exec > >(tee "$out"); fi

for tool in dotnet cmake g++ make; do
  command -v "$tool" >/dev/null || fail "no $tool on the PATH; install it and run this again"
done
if [[ -z ${LIBTORCH:-} ]]; then
  LIBTORCH=$(python3 -c 'import torch; print(torch.__path__[0])' 2>/dev/null) ||
    fail "no libtorch: set LIBTORCH=/path, or put a python3 with torch on the PATH"
fi
[[ -e $LIBTORCH/include/ATen/ATen.h ]] || fail "LIBTORCH=$LIBTORCH holds no include/ATen/ATen.h"
export LIBTORCH DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
# Sums on the GPU are the same on every run with a fixed workspace; products of float32 stay float32.
export CUBLAS_WORKSPACE_CONFIG=:4096:8 NVIDIA_TF32_OVERRIDE=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() {
  if ! (cd "$root" && dotnet build "$1" -c Release -v quiet --tl:off --artifacts-path "$artifacts") >"$work/build" 2>&1 </dev/null; then
    cat "$work/build"
    fail "the build of $1 against $LIBTORCH failed; its output is above"
  fi
}

counter() { sed -n "s/.*<Counters [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" 2>/dev/null | head -1; }

failures=0
run() { # DEVICE PROJECT
  local name=LlmStageAudit.$2.Tests trx=$work/$2.trx code=0 before=$SECONDS
  rm -f "$trx"
  STAGEAUDIT_TEST_DEVICE=$1 dotnet test "$artifacts/bin/$name/release/$name.dll" --results-directory "$work" \
    --logger "trx;LogFileName=$2.trx" --blame-hang-timeout 10m --blame-hang-dump-type none >"$work/log" 2>&1 </dev/null || code=$?
  local passed total executed failed
  passed=$(counter "$trx" passed) failed=$(counter "$trx" failed) total=$(counter "$trx" total) executed=$(counter "$trx" executed)
  local mark=ok
  if ((code != 0)); then
    mark=FAIL
    failures=$((failures + 1))
  fi
  printf '%-4s  %-6s  %-12s  %s passed, %s failed, %d skipped (%d s)\n' "$mark" "$1" "$2" "${passed:-0}" "${failed:-?}" \
    $((${total:-0} - ${executed:-0})) $((SECONDS - before))
  if ((code != 0)); then grep -vE '^ +at |^\[xUnit|^ *$' "$work/log" | head -60; fi
}

echo "libtorch: $LIBTORCH"
echo "compiler: $(g++ --version | head -1); $(cmake --version | head -1); .NET SDK $(cd "$root" && dotnet --version)"
if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader || true; fi
build src/LlmStageAudit.Cli
for project in "${projects[@]}"; do build "tests/LlmStageAudit.$project.Tests"; done

doctor=$(dotnet "$artifacts/bin/LlmStageAudit.Cli/release/stageaudit.dll" doctor --json) || fail "stageaudit doctor failed: $doctor"
echo "$doctor"

for project in "${projects[@]}"; do run cpu "$project"; done
wanted=$device
if [[ $wanted == cuda ]]; then wanted=cuda:0; fi
if ! grep -q "\"$wanted\"" <<<"$doctor"; then
  echo "no GPU: this libtorch finds no $wanted ($failures projects failed on its CPU)"
  exit 2
fi
for project in "${projects[@]}"; do run "$device" "$project"; done
if ((failures > 0)); then
  echo "$failures of $((2 * ${#projects[@]})) runs failed"
  exit 1
fi
echo "all passed on cpu and $device"
