#!/usr/bin/env bash
# Draws the pictures of the book's training chapters again: every schedule, the sweep of the learning-rate
# finder, the scale of the gradient scaler. Takes about a minute after the build.
#
# usage: scripts/schedule_plots.sh
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
    "") ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "schedule_plots.sh: unknown option $1" >&2; exit 2 ;;
esac
images=docs/images
cargo run --release --locked --example schedule_plots -- --out "$images/schedules"
cargo run --release --locked --example lr_finder -- --svg "$images/lr_finder.svg"
cargo run --release --locked --example grad_scaler -- --svg "$images/grad_scaler.svg"
