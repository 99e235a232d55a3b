#!/usr/bin/env bash
# Runs the commands of the README's Kubernetes section as they are written there, each block that is marked `sh kubectl` (or
# `sh kubectl held`, with `held` as argument). Run by `focus-mock exec -- readme_client.sh`; KUBECTL is the kubectl to use.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
ln -s "$(command -v "${KUBECTL:-kubectl}")" "$scratch/bin/kubectl"
export PATH="$scratch/bin:$PATH" HOME="$scratch"
awk -v fence="\`\`\`sh kubectl${1:+ $1}" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' "$here/../../README.md" >"$scratch/block"
[ -s "$scratch/block" ] || { echo "no such block in the README" >&2; exit 1; }
cd "$scratch"
timeout 100 bash -euo pipefail -x "$scratch/block" </dev/null
printf 'ok  the commands of the README%s\n' "${1:+, $1}"
