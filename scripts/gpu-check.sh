#!/usr/bin/env bash
# Checks the tensor engine on a machine with an NVIDIA GPU, which needs no .NET, no compiler and no network: only python3 with PyTorch 2.10 to
# 2.12, or LIBTORCH naming the torch/lib of one.
#   scripts/gpu-check.sh pack [FILE]                  here: one archive, .tar.gz or .tar.xz (default: artifacts/gpu-check.tar.gz)
#   ./gpu-check.sh run [--out FILE] [--device cuda:0] [--minutes 9]      there, in the unpacked archive
# `run` does: doctor; every test of reference values and identities on the CPU of that libtorch and on the device; training and exact attribution
# of three stages at 70M, 160M and 410M against plain PyTorch of the same arithmetic on the same card. All of it goes into one JSON file
# (default: gpu-check.json), what the time did not suffice for too. Ends with 0 where all passed, 1 where something failed, 2 where the GPU or
# PyTorch is missing. --device cpu does the same without a GPU; --sizes, --rows and --repeats make the timings smaller.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
projects=(Modeling Training Probing Attribution Auditing)
most_bytes=$((60 << 20))

fail() {
  echo "gpu-check: $1" >&2
  exit 2
}

usage() { sed -n 's/^#   //p' "${BASH_SOURCE[0]}"; }

# The folders of reference data that a test of these projects names.
goldens() {
  local name
  for name in "$root"/../shared/goldens/*/; do
    name=$(basename "$name")
    if grep -rqF --include='*.cs' "\"$name\"" "${projects[@]/#/$root/tests/LlmStageAudit.}" 2>/dev/null; then echo "$name"; fi
  done
}

pack() {
  local root file=$1 top name
  root=$(dirname "$here")
  file=$(realpath -m "${file:-$root/artifacts/gpu-check.tar.gz}")
  [[ $file == *.tar.gz || $file == *.tar.xz ]] || fail "$file: expected a name that ends in .tar.gz or .tar.xz"
  [[ -d $root/../shared/goldens ]] || fail "no shared/goldens beside the checkout: the tests would have nothing to compare with"
  command -v dotnet >/dev/null || fail "no dotnet on the PATH; install the .NET 10 SDK and run this again"
  projects=("${projects[@]/%/.Tests}")
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  top=$work/gpu-check
  mkdir -p "$top/checkout" "$top/shared/goldens" "$(dirname "$file")"

  echo "publishing ..."
  if ! (cd "$root" && DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 dotnet publish tests/LlmStageAudit.DeviceCheck -c Release -r linux-x64 --self-contained \
    -p:Torch=none -p:CreateSymbolicLinksForCopyLocalIfPossible=false -p:DebugType=none --artifacts-path artifacts/gpu -o "$work/bin" \
    -v quiet --tl:off -nodeReuse:false) >"$work/log" 2>&1 </dev/null; then
    cat "$work/log" >&2
    fail "the build failed; its output is above"
  fi
  # What a test host would need, and the tests' own starters: device-check runs them.
  rm -f "$work"/bin/*.pdb "$work"/bin/testhost* "$work"/bin/Microsoft.{TestPlatform,VisualStudio}.* "$work"/bin/createdump
  for name in "${projects[@]}"; do rm -f "$work/bin/LlmStageAudit.$name" "$work/bin/LlmStageAudit.$name".{deps,runtimeconfig}.json; done
  [[ -x $work/bin/stageaudit && -x $work/bin/device-check ]] || fail "the publish made no stageaudit or no device-check"
  if [[ -n $(find "$work/bin" -name 'libtorch*.so' -print -quit) ]]; then fail "the publish holds a libtorch, which Torch=none should keep out"; fi

  # As in a checkout: tests find its root by the solution, and the reference data beside it.
  cp -rL "$work/bin" "$root/LlmStageAudit.slnx" "$root/adapters" "$top/checkout/"
  for name in $(goldens); do cp -rL "$root/../shared/goldens/$name" "$top/shared/goldens/"; done
  cp -L "$root"/tests/benchmarks/gpu-check/*.py "$here/gpu-check.sh" "$top/"
  chmod -R u+w "$top"
  if [[ -n $(find "$top" -type l -print -quit) ]]; then fail "the archive would hold links: $(find "$top" -type l | head -3 | xargs)"; fi
  tar -C "$work" -caf "$file.partial.${file##*.tar.}" gpu-check && mv "$file.partial.${file##*.tar.}" "$file"
  local bytes
  bytes=$(stat -c %s "$file")
  ((bytes < most_bytes)) || fail "$file: $bytes bytes; expected less than $most_bytes"
  echo "$file: $((bytes >> 20)) MiB, unpacked $(du -sm "$top" | cut -f1) MiB"
}

run() {
  local python place
  [[ -x $here/checkout/bin/device-check ]] || fail "no checkout/bin/device-check beside this script: run it in the unpacked archive of 'pack'"
  for place in python3 /usr/bin/python3 /opt/conda/bin/python3 python; do
    if command -v "$place" >/dev/null && "$place" -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
      python=${python:-$place}
      if "$place" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' 2>/dev/null; then
        python=$place
        break
      fi
    fi
  done
  [[ -n ${python:-} ]] || fail "no python3 (3.8 or later) on the PATH"
  exec "$python" -B "$here/gpu_check.py" "$@"
}

case ${1:-} in
  pack) (($# <= 2)) || { usage >&2 && exit 2; } && pack "${2:-}" ;;
  run) shift && run "$@" ;;
  -h | --help) usage ;;
  *) usage >&2 && exit 2 ;;
esac
