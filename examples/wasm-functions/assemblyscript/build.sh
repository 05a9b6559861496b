#!/usr/bin/env bash
# Builds the AssemblyScript function with the compiler that `npm install` brings.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../depth_class.wasm}
asc=$here/../../../node_modules/.bin/asc
if [ ! -x "$asc" ]; then
  echo "Cannot build depth_class: AssemblyScript is not installed; run npm install in the checkout" >&2
  exit 69
fi
cd "$here"
"$asc" depth_class.ts --runtime stub -O3 --noAssert --use abort= -o "$out"
echo "$out: $(wc -c <"$out") bytes"
