#!/usr/bin/env bash
# Makes artifacts/package/stageaudit-VERSION-linux-x64.tar.gz: the command with all that it needs, .NET and libtorch included. It runs where it
# is unpacked, on Debian 12 and newer systems; scripts/package-check.sh tries that.
#   scripts/package.sh
# To be run on Debian 12: two libraries of the system go along, ICU for the Unicode data of tokenizers and OpenSSL for hashes.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
project=$root/src/LlmStageAudit.Cli
libraries=/usr/lib/x86_64-linux-gnu
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
  echo "package: $1" >&2
  exit 2
}

[[ $(uname -m) == x86_64 && $(. /etc/os-release && echo "$VERSION_CODENAME") == bookworm ]] ||
  fail "the archive is made on Debian 12 for x86-64, so that the libraries taken from it run on every newer system"
"$root/scripts/setup.sh"
icu=$(basename "$libraries"/libicuuc.so.*.*)
icu=${icu#libicuuc.so.}

version=$(cd "$root" && dotnet msbuild "$project" -getProperty:Version)
name=stageaudit-$version-linux-x64
out=$root/artifacts/package
folder=$out/$name
rm -rf "$folder"
mkdir -p "$folder/licenses"

echo "building $name ..."
if ! (cd "$root" && dotnet publish "$project" -c Release -r linux-x64 --self-contained -p:BroughtIcu="$icu" -o "$folder" \
  -nologo -v quiet --tl:off) >"$log" 2>&1 </dev/null; then
  cat "$log" >&2
  fail "the build failed; its output is above"
fi
cp "$libraries"/libicu{data,uc,i18n}.so."$icu" "$libraries"/lib{crypto,ssl}.so.3 "$folder"
cp -r "$root/adapters" "$root/LICENSE" "$folder"

# Licences of what is not ours, as far as a package has it as a file; all packages are named.
cp "/usr/share/doc/libicu${icu%%.*}/copyright" "$folder/licenses/ICU"
cp /usr/share/doc/libssl3/copyright "$folder/licenses/OpenSSL"
cp "$(dirname "$(readlink -f "$(command -v dotnet)")")"/{LICENSE,ThirdPartyNotices}.txt "$folder/licenses"
packages=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')
sed -n 's/.*"path": "\([a-z][^"]*\/[0-9][^"]*\)".*/\1/p' "$root/artifacts/obj/LlmStageAudit.Cli/project.assets.json" | sort -u |
  while read -r package; do
    echo "$package: $(sed -n 's/.*<license [^>]*>\([^<]*\)<.*/\1/p' "$packages/$package"/*.nuspec)" >>"$folder/licenses/PACKAGES"
    for file in "$packages/$package"/{LICENSE,License,license,THIRD,Third}*; do
      if [[ -f $file ]]; then cp "$file" "$folder/licenses/${package%%/*}-$(basename "$file")"; fi
    done
  done

cat >"$folder/README" <<README
stageaudit $version, for Linux on x86-64 (glibc 2.36 or newer: Debian 12, Ubuntu 24.04). Nothing is to be installed:

    ./stageaudit --help
    ./stageaudit demo

.NET, libtorch for the CPU, ICU and OpenSSL are in this folder; OpenSSL is used only where the system has none. To compute on a GPU, name
the folder of an installed PyTorch: LIBTORCH=/path/to/torch ./stageaudit doctor. Only \`sign\` needs more: ssh-keygen.
adapters/ has recipes of LoRA for families of models. Licences: LICENSE and licenses/.
README

[[ -z $(find "$folder" -type l) ]] || fail "links in $folder: $(find "$folder" -type l | xargs)"
tar -C "$out" --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go-w,a+rX -cf - "$name" | gzip -n >"$folder.tar.gz.partial"
mv "$folder.tar.gz.partial" "$folder.tar.gz"
echo "$folder.tar.gz: $(du -m "$folder.tar.gz" | cut -f1) MiB, $(du -sm "$folder" | cut -f1) MiB unpacked"
rm -rf "$folder"
