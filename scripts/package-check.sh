#!/usr/bin/env bash
# Tries what is handed out on bare systems: Debian's smallest, with nothing added, in a folder (artifacts/systems/SUITE, made on the first
# call) of which every run takes a copy. Needs root. This system stays as it is, but for debootstrap, which is installed where it is missing.
#   scripts/package-check.sh                      on Debian 12 and 13, without .NET and network: the archive of scripts/package.sh must come
#                                                 to the same tokens, losses, effects, and bytes of states as this checkout
#   scripts/package-check.sh --sources [FILTER]   on Debian 12 with the .NET SDK: the README's two commands, from a clone of what is
#                                                 committed here; of the tests those that FILTER chooses
# DEBIAN_MIRROR names another mirror than debootstrap's.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
systems=$root/artifacts/systems
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
mkdir -p "$systems"
work=$(mktemp -d "$systems/check.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

fail() {
  echo "package-check: $1" >&2
  exit 1
}

((EUID == 0)) || fail "needs root, to make another system's folder and to enter it"

make_system() { # SUITE
  local log=$work/log
  if [[ ! -e $systems/$1 ]]; then
    command -v debootstrap >/dev/null ||
      apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends debootstrap >/dev/null
    rm -rf "$systems/$1.partial"
    debootstrap --variant=minbase "$1" "$systems/$1.partial" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$log" 2>&1 || {
      cat "$log" >&2
      fail "debootstrap could not make a $1"
    }
    mv "$systems/$1.partial" "$systems/$1"
  fi
  cp -a "$systems/$1" "$work/$1"
}

# In a namespace that ends with the command, so that no mount is left behind.
inside() { # SYSTEM [--net] COMMAND...
  local system=$1 alone=
  shift
  if [[ $1 == --net ]]; then alone=$1 && shift; fi
  unshare --mount --propagation private ${alone:+"$alone"} bash -euc '
    system=$1 dotnet=$2
    shift 2
    mount -t proc proc "$system/proc"
    mount --rbind /dev "$system/dev"
    if [[ -d $system$dotnet ]]; then mount --bind "$dotnet" "$system$dotnet"; fi
    exec chroot "$system" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
  ' inside "$system" "$dotnet" "$@" </dev/null
}

# What archive and checkout must agree on: tokens of texts that look alike, and a small run and its effects. The tokenizer has bytes only.
cat >"$work/figures" <<'FIGURES'
set -euo pipefail
command=$1
mkdir -p "$2/model"
cd "$2"

bytes=$(for i in $(seq 0 255); do printf ', "<0x%02X>": %d' "$i" $((i + 1)); done)
for form in NFC NFD NFKC NFKD; do
  cat >"$form.json" <<JSON
{ "version": "1.0", "added_tokens": [], "normalizer": { "type": "$form" }, "pre_tokenizer": null, "post_processor": null, "decoder": null,
  "model": { "type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true, "vocab": { "<unk>": 0$bytes }, "merges": [] } }
JSON
  echo '{"text": "Cafe\u0301 \ufb01n \u1e9b\u0323 \u212bngstro\u0308m \u1112\u1161\u11ab \uac00 x\u00b2 \ud834\udd5e"}' |
    "$command" tokenize -t "$form.json" | sed "s/^/$form /"
done

cp NFKC.json model/tokenizer.json
cat >model/config.json <<JSON
{ "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 3,
  "num_attention_heads": 4, "vocab_size": 264, "max_position_embeddings": 64, "rotary_pct": 0.25, "rotary_emb_base": 10000,
  "use_parallel_residual": true, "hidden_act": "gelu", "layer_norm_eps": 1e-05, "initializer_range": 0.2, "tie_word_embeddings": false }
JSON
for i in $(seq 60); do echo "{\"text\": \"Cafe\\u0301 $((i * i)) \\ufb01n $((i * 7 % 13))\", \"label\": $((i % 2))}"; done >rows.jsonl
cat >run.yaml <<YAML
model: { path: model, task: sequence-classification, weights: random }
adapter: { r: 4, alpha: 8, targetModules: [query_key_value] }
optimizer: { name: adamw, learningRate: 1e-2 }
batchSize: 6
stages:
  - { name: first, data: { path: rows.jsonl, text: text, label: label } }
  - { name: second, data: { path: rows.jsonl, text: text, label: label, limit: 30 } }
YAML
echo 'data: { path: rows.jsonl, text: text, label: label }' >probe.yaml
"$command" train run.yaml --out run >&2
for gradient in recorded exact; do
  "$command" attribute run --probe probe.yaml --gradient "$gradient" --json | grep -oE '"(stage|estimate)": *[^,}]*'
done
"$command" verify-log run --replay 3 --inputs >&2
find run -name '*.safetensors' | LC_ALL=C sort | xargs sha256sum
# Of a log what it says of the steps: its hashes begin with the name of the run, into which the machine goes.
grep -aoh '{"step":[^}]*}' run/stages/*/trajectory.log
FIGURES

check_archive() { # SUITE
  local system=$work/$1 seconds=$SECONDS
  make_system "$1"
  tar -C "$system/opt" -xzf "$archive"
  mv "$system"/opt/stageaudit-* "$system/opt/stageaudit"
  cp "$work/figures" "$system/opt/figures"
  echo "== $1: $(inside "$system" --net sh -c '. /etc/os-release && echo "$PRETTY_NAME"'), $(inside "$system" --net sh -c \
    'for name in dotnet cc python3 ssh-keygen; do command -v $name || echo no $name; done' | xargs)"
  inside "$system" --net /opt/stageaudit/stageaudit --version
  inside "$system" --net /opt/stageaudit/stageaudit doctor
  inside "$system" --net bash /opt/figures /opt/stageaudit/stageaudit /tmp/figures >"$work/$1.figures" 2>"$work/$1.log" || {
    cat "$work/$1.log" >&2
    fail "$1: the archive's run or tokenizing failed"
  }
  diff "$work/expected" "$work/$1.figures" >&2 || fail "$1: the archive does not come to what this checkout does"
  echo "same as the checkout: $(grep -c '^N' "$work/expected") lists of tokens, $(grep -c estimate "$work/expected") effects," \
    "$(grep -c lossNats "$work/expected") steps, $(grep -c ' run/' "$work/expected") states to the byte ($((SECONDS - seconds)) s)"
}

check_archives() {
  archive=$(find "$root/artifacts/package" -name 'stageaudit-*-linux-x64.tar.gz' -print -quit 2>/dev/null || true)
  [[ -n $archive ]] || fail "no archive; run scripts/package.sh"
  echo "archive: $(basename "$archive"), $(du -m "$archive" | cut -f1) MiB"
  env -i HOME="$HOME" PATH="$PATH" bash "$work/figures" "$root/scripts/stageaudit" "$work/made" >"$work/expected" 2>"$work/log" || {
    cat "$work/log" >&2
    fail "this checkout's run or tokenizing failed"
  }
  check_archive bookworm
  check_archive trixie
}

check_sources() { # FILTER
  local system=$work/bookworm home=/root/llm-stage-audit variables
  make_system bookworm
  mkdir -p "$system$dotnet" "$system/root/.nuget"
  ln -sf "$dotnet/dotnet" "$system/usr/bin/dotnet"
  git clone -q "$root" "$system$home"
  # The network as it is here, and whom this system trusts.
  cp /etc/resolv.conf /etc/hosts "$system/etc"
  cp /etc/ssl/certs/ca-certificates.crt "$system/root/certificates"
  if [[ -d $HOME/.nuget/NuGet ]]; then cp -r "$HOME/.nuget/NuGet" "$system/root/.nuget"; fi
  mapfile -t variables < <(env | grep -iE '^(https?_proxy|no_proxy|NUGET_[A-Z_]*)=')
  variables+=(SSL_CERT_FILE=/root/certificates DOTNET_CLI_TELEMETRY_OPTOUT=1)
  in_clone() { inside "$system" env -C "$home" "${variables[@]}" "$@"; }

  local before
  before=$(inside "$system" dpkg-query --show --showformat='${Package}\n')
  local seconds=$SECONDS
  in_clone scripts/demo.sh || fail "scripts/demo.sh failed on a bare Debian 12"
  echo "== scripts/demo.sh: $((SECONDS - seconds)) s; installed: $(inside "$system" dpkg-query --show --showformat='${Package}\n' |
    grep -vxF "$before" | xargs)"
  seconds=$SECONDS
  in_clone scripts/test.sh "$1" || fail "scripts/test.sh failed on a bare Debian 12"
  echo "== scripts/test.sh $1: $((SECONDS - seconds)) s; packages installed by both: $(inside "$system" \
    dpkg-query --show --showformat='${Package}\n' | grep -cvxF "$before")"
  if inside "$system" sh -c 'command -v cc || command -v gcc || command -v g++ || command -v clang || command -v cmake || command -v make'; then
    fail "a compiler or a tool of builds was installed"
  fi
  echo "no C compiler, no CMake, no make"
}

case ${1:-} in
  '') check_archives ;;
  --sources) check_sources "${2:-Safetensors}" ;;
  *) fail "unknown argument '$1'" ;;
esac
