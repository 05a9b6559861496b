#!/usr/bin/env bash
# Builds the Go function. Go puts its whole runtime into the module (2.2 MB and more), so the result is not committed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../place_region.wasm}
if ! command -v go >/dev/null; then
  echo "Cannot build place_region: go (1.24 or newer) is not on the path" >&2
  exit 69
fi
cd "$here"
GOOS=wasip1 GOARCH=wasm go build -trimpath -buildmode=c-shared -ldflags=-s\ -w -o "$out" .
echo "$out: $(wc -c <"$out") bytes"
