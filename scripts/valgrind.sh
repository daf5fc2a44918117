#!/usr/bin/env bash
# Do the kernels keep within their slices, and read only what was written?
#
# usage: scripts/valgrind.sh [--fences | --memcheck]
#
# Two parts, both over the kernel tests of gradus-tensor:
#   fences    with the instructions of this CPU, and every allocation against a page that ends the program
#             when it is touched: behind the allocation, then in front of it (crates/tensor/tests/fence)
#   memcheck  under valgrind at GRADUS_CPU=avx2 and baseline; valgrind knows no AVX-512. Long tests run
#             one case in $GRADUS_TEST_LESS (default 100)
set -euo pipefail
cd "$(dirname "$0")/.."

part=${1:-}
# A fence is two mappings, and a process may have 65,530: one test at a time, and no backtraces.
export RUST_BACKTRACE=0 RUST_TEST_THREADS=1
case $part in
    "" | --fences | --memcheck) ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "valgrind.sh: unknown argument $part" >&2; exit 2 ;;
esac

# valgrind 3.19 takes AVX's comparisons "equal or unordered" and "unequal and ordered" for the plain ones: results
# for NaN are wrong under it, so that these tests fail there.
values_of_nan=(--skip functions_are_within_their_bounds --skip functions_without_a_second_implementation
    --skip infinities_and_nan_go_where_pytorch_has_them)

tests=(gemm_products gemm_halves gemm_guard_pages)
mapfile -t programs < <(cargo test -p gradus-tensor --lib "${tests[@]/#/--test=}" --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
if [ ${#programs[@]} -ne $((${#tests[@]} + 1)) ]; then
    echo "valgrind.sh: expected $((${#tests[@]} + 1)) test programs, got ${#programs[@]}" >&2
    exit 1
fi

# The tests of a program that are about kernels: all, but in the library those of its folder.
of() {
    case $1 in */gradus_tensor-*) echo kernels:: ;; esac
}

if [ "$part" != --memcheck ]; then
    for place in after before; do
        for program in "${programs[@]}"; do
            echo "== a closed page $place: ${program##*/}"
            GRADUS_TEST_FENCE=$place GRADUS_TEST_LESS="${GRADUS_TEST_LESS:-10}" "$program" $(of "$program")
        done
    done
fi

if [ "$part" != --fences ]; then
    export GRADUS_TEST_LESS="${GRADUS_TEST_LESS:-100}"
    for cpu in avx2 baseline; do
        for program in "${programs[@]}"; do
            echo "== memcheck, $cpu: ${program##*/}"
            GRADUS_CPU=$cpu GRADUS_NUM_THREADS=1 \
                valgrind --quiet --error-exitcode=1 --exit-on-first-error=yes --leak-check=no \
                "$program" $(of "$program") "${values_of_nan[@]}"
        done
    done
fi
