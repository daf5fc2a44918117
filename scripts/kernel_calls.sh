#!/usr/bin/env bash
# What kernels call, which should be little: a function that is not inlined has none of the level's instructions.
#
# usage: scripts/kernel_calls.sh
#
# Builds the library in target/kernel-calls and prints every callee of the functions that are compiled for an
# instruction level, and how often it is called. Left out are panics, copies of memory, and iterators over rows, which
# are no part of a loop over elements. Needs objdump and c++filt (Debian: binutils).
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/kernel-calls
export RUSTFLAGS="-C symbol-mangling-version=v0"

cargo build --release --quiet -p gradus
for crate in tensor autodiff nn optim; do
    objdump -dr --no-show-raw-insn "$CARGO_TARGET_DIR"/release/deps/libgradus_"$crate"-*.rlib
done | c++filt -s rust | awk '
    /^[0-9a-f]+ <.*>:$/ { kernel = /kernels::dispatch::(baseline|avx2|avx512)::|::(tile|across|along|dots|packs|turns|widens|axpys)>/ }
    kernel && /R_X86_64_(PLT32|GOTPCREL|GOTPCRELX|REX_GOTPCRELX)/ {
        sub(/^.*R_X86_64_[A-Z0-9_]+[ \t]+/, "")
        sub(/[-+]0x[0-9a-f]+$/, "")
        gsub(/\[[0-9a-f]+\]/, "")
        print
    }' |
    grep -vE '^(mem(cpy|set|move)|core::panicking|core::slice::index::|core::option::|core::result::|alloc::|__rust)' |
    grep -vE 'panic|_fail|Unwind|core::iter::|slice::iter::|core4iter|RawVec|drop_in_place|fmt>' |
    sort | uniq -c | sort -rn
