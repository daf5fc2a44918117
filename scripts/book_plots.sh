#!/usr/bin/env bash
# The pictures of the optimizers that the book shows, made anew.
#
# usage: scripts/book_plots.sh [FOLDER]
#
# FOLDER is docs/images/optimizers, unless it is given.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "book_plots.sh: unknown option $1" >&2; exit 2 ;;
esac
cargo run --release --quiet --locked --example optimizer_race -- --plots "${1:-docs/images/optimizers}"
