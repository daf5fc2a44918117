#!/usr/bin/env bash
# gradus beside PyTorch: every workload in a process of its own, one after the other.
#
# usage: scripts/bench.sh [--threads N] [--budget S] [--check] [ID...]
#
# TORCH_PY names a Python with torch in it. Without IDs all workloads run. The table gives the median
# of each side and torch/gradus: above 1, gradus is faster. Close other programs before.
set -euo pipefail
cd "$(dirname "$0")/.."

threads=2
rest=()
check=
ids=()
while [ $# -gt 0 ]; do
    case $1 in
        --threads) threads=$2; shift 2 ;;
        --budget) rest+=(--budget "$2"); shift 2 ;;
        --check) check=1; rest+=(--check); shift ;;
        -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
        -*) echo "bench.sh: unknown option $1" >&2; exit 2 ;;
        *) ids+=("$1"); shift ;;
    esac
done
if [ -z "${TORCH_PY:-}" ]; then
    echo "bench.sh: set TORCH_PY to a Python that can import torch, e.g. TORCH_PY=~/venv/bin/python" >&2
    exit 2
fi
if [ ${#ids[@]} -eq 0 ]; then
    if [ -n "$check" ]; then
        ids=(mlp_small mlp_large mnist_cnn)
    else
        ids=(mlp_small mlp_large mnist_cnn tiny_overhead record_neg
            matmul_f32_256 matmul_f32_512 matmul_f32_1024 matmul_f32_2048
            matmul_f32_256_ta matmul_f32_256_tb matmul_f32_256_b8
            matmul_bf16_1024 matmul_f16_1024
            conv_fwd_mnist1 conv_dw_mnist1
            conv_fwd_mnist2 conv_dx_mnist2 conv_dw_mnist2
            conv_fwd_cnn1 conv_dw_cnn1
            conv_fwd_cnn2 conv_dx_cnn2 conv_dw_cnn2
            conv_fwd_cnn3 conv_dx_cnn3 conv_dw_cnn3
            add_16m elementwise_gelu_16m softmax_4096x4096 layernorm_8192x1024
            opt_sgdm_10m opt_adam_10m opt_adamw_10m clip_norm_10m)
    fi
fi

cargo build --release --quiet -p gradus-bench
for id in "${ids[@]}"; do
    # An implementation that fails is a line of the table, not the end of it.
    "${CARGO_TARGET_DIR:-target}"/release/gradus-bench --threads "$threads" ${rest[@]+"${rest[@]}"} "$id" ||
        echo "{\"id\": \"$id\", \"impl\": \"gradus\", \"unsupported\": \"exit status $?\"}"
    if [ "$id" != record_neg ]; then # it measures gradus' own graph
        "$TORCH_PY" scripts/torch_bench.py --threads "$threads" ${rest[@]+"${rest[@]}"} "$id" ||
            echo "{\"id\": \"$id\", \"impl\": \"torch\", \"unsupported\": \"exit status $?\"}"
    fi
done | "$TORCH_PY" scripts/bench_table.py
