//! The same bits for any number of threads.

use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm, gemm_batched};
use gradus_tensor::threads::set_num_threads;

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn products_have_the_same_bits_on_one_two_and_four_threads() {
    let (a, b, bias) = (numbers(900_000, 1), numbers(900_000, 2), numbers(1000, 3));
    let all = || {
        let mut bits: Vec<u32> = Vec::new();
        for (m, n, k) in [(64, 256, 784), (257, 131, 500), (10, 900, 800), (900, 10, 700)] {
            for turned in 0..4 {
                let left = MatRef::row_major(&a, m, k);
                let left =
                    if turned & 1 == 0 { left } else { MatRef::row_major(&a, k, m).transpose() };
                let right = MatRef::row_major(&b, k, n);
                let right =
                    if turned & 2 == 0 { right } else { MatRef::row_major(&b, n, k).transpose() };
                let mut c = vec![0.0; m * n];
                gemm(left, right, 0.0, &mut c, Epilogue::BiasRelu(&bias[..n]));
                bits.extend(c.iter().map(|x| x.to_bits()));
            }
        }
        for (m, n) in [(900, 1), (1, 900)] {
            for (left, right) in [
                (MatRef::row_major(&a, m, 900), MatRef::row_major(&b, 900, n)),
                (
                    MatRef::row_major(&a, 900, m).transpose(),
                    MatRef::row_major(&b, n, 900).transpose(),
                ),
            ] {
                let mut c = vec![0.0; 900];
                gemm(left, right, 0.0, &mut c, Epilogue::None);
                bits.extend(c.iter().map(|x| x.to_bits()));
            }
        }
        let mut c = vec![0.0; 7 * 100 * 90];
        gemm_batched(
            7,
            |i| MatRef::new(&a, i * 8000, (100, 80), (80, 1)),
            |i| MatRef::new(&b, i * 7200, (80, 90), (1, 80)),
            0.0,
            &mut c,
            Epilogue::None,
        );
        bits.extend(c.iter().map(|x| x.to_bits()));
        bits
    };
    set_num_threads(1);
    let one = all();
    for threads in [2, 4] {
        set_num_threads(threads);
        assert!(all() == one, "{threads} threads give other bits than one");
    }
}
