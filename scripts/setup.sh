#!/usr/bin/env bash
# Makes sure that what the build and the tests need is there: the .NET 10 SDK, a C++ toolchain, libtorch, and ssh-keygen to sign runs with.
# Installs missing Debian packages where it may; otherwise says what to install and exits with 2.
# LIBTORCH=/path names another libtorch, and then Debian's is not asked for.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

fail() {
  echo "setup: $1" >&2
  exit 2
}

has_package() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_packages() {
  command -v cmake >/dev/null || echo cmake
  command -v g++ >/dev/null || echo g++
  command -v make >/dev/null || echo make
  command -v ssh-keygen >/dev/null || echo openssh-client
  if [[ -z ${LIBTORCH:-} ]]; then
    has_package libtorch-dev || echo libtorch-dev
    has_package libopenblas-dev || echo libopenblas-dev
  fi
}

install_packages() {
  local log
  log=$(mktemp)
  echo "setup: installing $*" >&2
  if ! {
    apt-get update &&
      apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    fail "apt-get could not install $*; its output is above"
  fi
  rm -f "$log"
}

command -v dotnet >/dev/null ||
  fail "no dotnet on the PATH; install the .NET 10 SDK and run this again"
(cd "$root" && dotnet --version >/dev/null 2>&1) ||
  fail "dotnet is there, but no SDK that global.json accepts; install the .NET 10 SDK (found: $(dotnet --list-sdks | cut -d' ' -f1 | xargs))"

if [[ -n ${LIBTORCH:-} && ! -e $LIBTORCH/include/ATen/ATen.h ]]; then
  fail "LIBTORCH=$LIBTORCH holds no include/ATen/ATen.h; expected an unpacked libtorch or the torch folder of a PyTorch installation"
fi

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then exit 0; fi

install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
command -v apt-get >/dev/null ||
  fail "missing: ${missing[*]} (Debian's names); install them, and name a libtorch by LIBTORCH=/path where your system has none"
((EUID == 0)) || fail "missing: ${missing[*]}; as root: $install"
export DEBIAN_FRONTEND=noninteractive
install_packages "${missing[@]}"
