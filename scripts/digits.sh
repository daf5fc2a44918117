#!/usr/bin/env bash
# Does gradus learn the digits as well as PyTorch does? The same network, split and protocol on both
# sides, one run for each seed; prints both means, their standard deviations and the difference.
#
# usage: scripts/digits.sh [--data DIR] [--seeds N] [--epochs N]
#
# TORCH_PY names a Python with torch in it. DIR is read by the PyTorch side (the example reads the
# digits bundled in crates/data, which are also its default here).
set -euo pipefail
cd "$(dirname "$0")/.."

data=crates/data/data
seeds=10
epochs=10
while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2; shift 2 ;;
        --seeds) seeds=$2; shift 2 ;;
        --epochs) epochs=$2; shift 2 ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) echo "digits.sh: unknown argument $1" >&2; exit 2 ;;
    esac
done
if [ -z "${TORCH_PY:-}" ]; then
    echo "digits.sh: set TORCH_PY to a Python that can import torch, e.g. TORCH_PY=~/venv/bin/python" >&2
    exit 2
fi

# Reads "… test accuracy 0.9412 …" lines, shows them, and writes "mean sd" to the file $2.
summary() {
    awk -v side="$1" -v file="$2" '
        match($0, /test accuracy [0-9.]+/) {
            split(substr($0, RSTART, RLENGTH), word, " ")
            print side ": " $0; fflush()
            n++; a[n] = word[3]; sum += word[3]
        }
        END {
            if (n == 0) exit 1
            mean = sum / n
            for (i = 1; i <= n; i++) square += (a[i] - mean) ^ 2
            sd = (n > 1) ? sqrt(square / (n - 1)) : 0
            printf "%.6f %.6f\n", mean, sd > file
        }'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --release --quiet --example mnist
for ((seed = 0; seed < seeds; seed++)); do
    last=$("${CARGO_TARGET_DIR:-target}"/release/examples/mnist --seed "$seed" --epochs "$epochs" | tail -n 1)
    echo "seed $seed $last"
done | summary gradus "$work/gradus"
"$TORCH_PY" scripts/torch_mnist.py --data "$data" --seeds "$seeds" --epochs "$epochs" |
    summary torch "$work/torch"

read -r gradus_mean gradus_sd <"$work/gradus"
read -r torch_mean torch_sd <"$work/torch"
awk -v n="$seeds" -v g="$gradus_mean" -v gs="$gradus_sd" -v t="$torch_mean" -v ts="$torch_sd" 'BEGIN {
    printf "gradus  mean %.4f  sd %.4f\n", g, gs
    printf "torch   mean %.4f  sd %.4f\n", t, ts
    printf "difference %+.4f  (standard error %.4f, %d seeds)\n", g - t, sqrt((gs ^ 2 + ts ^ 2) / n), n
}'
