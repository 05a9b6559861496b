#!/usr/bin/env bash
# Builds the function with the first compiler that can: rustup's with its wasm target, else Debian's rustc 1.63 with the
# ready-made wasm standard library. With CI=true or REEF_SETUP=1 it installs Debian's when neither is there.
# usage: build.sh [OUT.wasm] [--plain | --traps]      --plain: cargo's default release profile (a larger and slower module)
#                                                     --traps: panics on one time in a hundred (for the bench)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../moment.wasm
plain=
features=
for argument in "$@"; do
  if [ "$argument" = --plain ]; then plain=yes; elif [ "$argument" = --traps ]; then features=traps; else out=$argument; fi
done
target_dir=${CARGO_TARGET_DIR:-$here/../../../.cache/moment-rust${plain:+-plain}${features:+-traps}}
export CARGO_TARGET_DIR=$target_dir
if [ -n "$plain" ]; then
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=3 CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_RELEASE_PANIC=unwind CARGO_PROFILE_RELEASE_STRIP=none
fi

rustup_ready() {
  command -v rustup >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-wasip1" ]
}
debian_ready() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/wasm32-wasi" ]
}

cd "$here"
if command -v rustup >/dev/null && ! rustup_ready && ! debian_ready; then
  timeout 60 rustup target add wasm32-wasip1 >/dev/null 2>&1 || true
fi
if ! rustup_ready && ! debian_ready && [ "${CI:-}" = true -o "${REEF_SETUP:-}" = 1 ]; then
  # One at a time: another build may be installing its compiler.
  exec 9>/tmp/reef-apt.lock && flock 9
  apt-get update
  apt-get install --yes --no-install-recommends rustc cargo libstd-rust-dev-wasm32 lld
  exec 9>&-
fi

if rustup_ready; then
  cargo build --quiet --locked --release --features "$features" --target wasm32-wasip1
  built=$target_dir/wasm32-wasip1/release/moment.wasm
elif debian_ready; then
  # This cargo knows the sparse registry protocol only as an unstable option.
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_SPARSE_REGISTRY=true \
    /usr/bin/cargo build --quiet -Z sparse-registry --locked --release --features "$features" --target wasm32-wasi
  built=$target_dir/wasm32-wasi/release/moment.wasm
else
  echo "Cannot build moment: no Rust compiler for wasm is here." >&2
  echo "Run: rustup target add wasm32-wasip1" >&2
  echo "or on Debian: apt-get install --no-install-recommends rustc cargo libstd-rust-dev-wasm32 lld" >&2
  exit 69
fi
cp "$built" "$out"
echo "$out: $(wc -c <"$out") bytes"
