#!/usr/bin/env bash
# Makes sure that what building and running needs is there: a .NET 10 SDK and the system's libraries that it loads, and ssh-keygen to sign
# runs with. Installs missing Debian packages where it may, that is as root; otherwise it says what to install.
#   scripts/setup.sh            ends with 2 where something is missing that nothing works without
#   scripts/setup.sh --tests    also sees to what only tests use; where that cannot be had, those tests are skipped
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/usr/sbin:/sbin

say() { echo "setup: $1" >&2; }

fail() {
  say "$1"
  exit 2
}

has() { command -v "$1" >/dev/null; }

has_library() { [[ $(ldconfig -p 2>/dev/null) == *"$1.so."* ]]; }

# Debian's names. ICU's changes with every release.
needed_packages() {
  has_library libicuuc || echo '^libicu[0-9]+$'
  has_library libssl || echo libssl3
  compgen -G '/etc/ssl/certs/*' >/dev/null || echo ca-certificates
}

wanted_packages() { # [--tests]
  has ssh-keygen || echo openssh-client
  if [[ ${1:-} != --tests ]]; then return; fi
  has chromium || echo chromium
  has slurmctld || echo slurm-wlm
  has munged || echo munge
  # Hugging Face's own tokenizers, to compare with, on the tokenizer files there.
  if [[ -d $root/../shared ]] && ! has npm; then echo npm; fi
}

listed=
install() {
  local log code=0
  log=$(mktemp)
  say "installing $*"
  {
    { [[ -n $listed ]] || apt-get update; } &&
      apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null || code=$?
  if ((code == 0)); then listed=yes; else cat "$log" >&2; fi
  rm -f "$log"
  return $code
}

may_install() { ((EUID == 0)) && has apt-get; }

mapfile -t needed < <(needed_packages)
if ((${#needed[@]} > 0)); then
  names=${needed[*]/^libicu*/libicuNN}
  may_install || fail "missing: $names (Debian's names); install them and run this again"
  install "${needed[@]}" || fail "apt-get could not install $names; its output is above"
fi

has dotnet || fail "no dotnet on the PATH; install the .NET 10 SDK and run this again"
(cd "$root" && dotnet --version >/dev/null 2>&1) ||
  fail "dotnet is there, but no SDK that global.json accepts; install the .NET 10 SDK (found: $(dotnet --list-sdks | cut -d' ' -f1 | xargs))"

mapfile -t wanted < <(wanted_packages "$@")
if ((${#wanted[@]} == 0)); then exit 0; fi
if ! may_install; then
  say "not there: ${wanted[*]} (Debian's names); what needs them says so or is skipped"
  exit 0
fi
if install "${wanted[@]}"; then exit 0; fi
for package in "${wanted[@]}"; do
  install "$package" || say "goes on without $package"
done
