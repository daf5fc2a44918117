#!/usr/bin/env bash
# Does the library compile for CPUs and systems other than this one? ARM, and a browser.
#
# usage: scripts/check_targets.sh
#
# It adds the targets with rustup. CI runs the same portable kernels as GRADUS_CPU=baseline.
set -euo pipefail
cd "$(dirname "$0")/.."

rustup target add aarch64-unknown-linux-gnu wasm32-unknown-unknown
cargo check --locked --target aarch64-unknown-linux-gnu -p gradus
cargo check --locked --target wasm32-unknown-unknown -p gradus-tensor -p gradus-autodiff -p gradus-nn -p gradus-optim
