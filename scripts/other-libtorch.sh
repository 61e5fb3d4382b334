#!/usr/bin/env bash
# Runs what is built here on the libtorch of another release of Debian, in a folder of its own (artifacts/systems/SUITE, made on the first
# call; about 3 GiB). Only the bridge is compiled again, with that release's compiler. Needs root and debootstrap; this system stays as it is.
#   scripts/other-libtorch.sh SUITE test           all test projects, as scripts/test.sh built them
#   scripts/other-libtorch.sh SUITE run ARGS...    stageaudit ARGS
# SUITE is a release's name; trixie has libtorch 2.6. DEBIAN_MIRROR names another mirror than debootstrap's.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
packages=(ca-certificates cmake g++ make libtorch-dev libopenblas-dev libicu-dev openssh-client python3-torch)

fail() {
  echo "other-libtorch: $1" >&2
  exit 2
}

usage() { sed -n 's/^#   scripts/usage: scripts/p' "${BASH_SOURCE[0]}" >&2; }

[[ ${1:-} =~ ^[a-z][a-z-]*$ && ${2:-} =~ ^(test|run)$ ]] || { usage && exit 2; }
suite=$1 verb=$2
shift 2
((EUID == 0)) || fail "needs root, to make another system's folder and to enter it"
system=$root/artifacts/systems/$suite
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")") || fail "no dotnet on the PATH"

make_system() {
  if [[ -e $system/ready ]]; then return; fi
  command -v debootstrap >/dev/null || fail "no debootstrap on the PATH; install it and run this again"
  mkdir -p "$root/artifacts/systems"
  rm -rf "$system.partial"
  echo "other-libtorch: making $system" >&2
  debootstrap --variant=minbase --include="$(IFS=, && echo "${packages[*]}")" \
    "$suite" "$system.partial" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >&2 || fail "debootstrap could not make a $suite"
  touch "$system.partial/ready"
  mv "$system.partial" "$system"
}

# What follows happens in a mount namespace that ends with this process, so that no mount is left behind.
enter() {
  if [[ ${STAGEAUDIT_NAMESPACE:-} != "$suite" ]]; then
    STAGEAUDIT_NAMESPACE=$suite exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "$suite" "$verb" "$@"
  fi
  local place
  for place in /proc /sys /dev /tmp "$dotnet" "$root"; do show "$place"; done
  for place in "$root/../shared" "$HOME/.nuget"; do
    if [[ -d $place ]]; then show "$(readlink -f "$place")"; fi
  done
}

show() {
  mkdir -p "$system$1"
  mount --rbind "$1" "$system$1"
}

inside() {
  chroot "$system" /usr/bin/env -C "$PWD" PATH="$dotnet:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

# The bridge takes the place of the one built here, for whoever looks from inside.
use_bridge() {
  local build=$root/artifacts/native/$suite built
  if ! { inside cmake -S "$root/src/LlmStageAudit.LibTorch/native" -B "$build" && inside cmake --build "$build"; } >"$build.log" 2>&1; then
    cat "$build.log" >&2
    fail "the bridge does not compile on $suite"
  fi
  for built in "$root"/artifacts/bin/*/release/libllmstageaudit_torch.so; do
    mount --bind "$build/libllmstageaudit_torch.so" "$system$built"
  done
}

run_tests() {
  local log code=0
  log=$(mktemp)
  for project in "$root"/tests/*.Tests/*.csproj; do
    project=$(basename "$project" .csproj)
    inside dotnet test "$root/artifacts/bin/$project/release/$project.dll" --nologo >"$log" 2>&1 </dev/null || code=1
    grep -E '^ +Failed |^(Passed|Failed)! ' "$log" || cat "$log"
  done
  rm -f "$log"
  return $code
}

make_system
enter "$@"
exec 9>"$root/artifacts/systems/$suite.lock"
flock 9
use_bridge
exec 9>&-
case $verb in
  test) cd "$root" && run_tests ;;
  run) inside dotnet "$root/artifacts/bin/LlmStageAudit.Cli/release/stageaudit.dll" "$@" ;;
esac
