#!/usr/bin/env bash
# Builds the C function with clang and wasi-libc. With CI=true or REEF_SETUP=1 it installs Debian's when they are missing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../quake_energy.wasm}
ready() { [ -f /usr/lib/wasm32-wasi/libc.a ] && command -v clang wasm-ld >/dev/null; }
if ! ready && [ "${CI:-}" = true -o "${REEF_SETUP:-}" = 1 ]; then
  # One at a time: another build may be installing its compiler.
  exec 9>/tmp/reef-apt.lock && flock 9
  apt-get update
  apt-get install --yes --no-install-recommends clang lld wasi-libc libclang-rt-14-dev-wasm32
  exec 9>&-
fi
if ! ready; then
  echo "Cannot build quake_energy: clang with wasi-libc is not here." >&2
  echo "Run on Debian: apt-get install --no-install-recommends clang lld wasi-libc libclang-rt-14-dev-wasm32" >&2
  exit 69
fi
clang --target=wasm32-wasi -mexec-model=reactor -Os -flto -Wall -Wextra -Wl,--strip-all -o "$out" "$here/quake_energy.c"
echo "$out: $(wc -c <"$out") bytes"
