//! SGD in f32 has PyTorch's bits, where the CPU has fused multiply-add.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::{Optimizer, Sgd, SgdOptions};
use gradus_tensor::Array;
use gradus_tensor::kernels::{Level, level};

/// Five steps of `torch.optim.SGD` (2.15, AVX-512) on 32 numbers.
#[rustfmt::skip]
const TORCH: [[u32; 32]; 3] = [
    [0xbeff414e, 0xbe68bdcd, 0x3eb6f0c6, 0xbf31d14f, 0x3dbdb175, 0x3ee9a4c6, 0xbebfd75a,
    0x3e0832c0, 0x3ef65aba, 0xbeab2a58, 0x3e888dd5, 0xbef1984a, 0xbe4d6bc6, 0x3f162c8c,
    0xbf2afcce, 0x3df45582, 0x3ef74dcb, 0xbeb22e57, 0x3e2384c7, 0x3f0201de, 0xbe9d8154,
    0x3e9636d8, 0xbee3ef48, 0xbe3219c0, 0x3f1d010e, 0xbf24284b, 0x3e157cc9, 0x3f027b67,
    0xbea48554, 0x3e3ed6ce, 0x3f08d65f, 0xbe8fd852],
    [0xbf4f0912, 0xbe479ea2, 0x3eb91ddc, 0xbf195888, 0xbd8e75db, 0x3f07ef48, 0xbef27f38,
    0x3de35bb1, 0x3f325864, 0xbe960ad3, 0x3e83f86e, 0xbf429613, 0xbe15d2a4, 0x3ec42a48,
    0xbf0ce589, 0xbcab776d, 0x3f146247, 0xbed99937, 0x3e2379d8, 0x3f3ecb65, 0xbe7a49a8,
    0x3e9cde6f, 0xbf362313, 0xbdc80d46, 0x3edd1049, 0xbf007289, 0x3ce2e891, 0x3f20d548,
    0xbec0b337, 0x3e5545d7, 0x3f4b3e65, 0xbe487da6],
    [0xbf39d68d, 0xbe5ddb93, 0x3ebbd9a7, 0xbf29b3a5, 0xbb812de6, 0x3f012c01, 0xbee67e38,
    0x3e09569d, 0x3f248444, 0xbe9fce34, 0x3e8af8be, 0xbf2f200a, 0xbe330186, 0x3ef7e1cf,
    0xbf1efd23, 0x3d1b4272, 0x3f0be285, 0xbed11132, 0x3e3430a8, 0x3f2f3ac7, 0xbe8a612d,
    0x3ea065c4, 0xbf246987, 0xbe08277b, 0x3f06a76b, 0xbf1446a0, 0x3da35551, 0x3f169906,
    0xbebba42d, 0x3e5f0ab4, 0x3f39f14a, 0xbe69e84f],
];

#[test]
fn sgd_has_pytorchs_bits() {
    if level() == Level::Baseline {
        return;
    }
    let base = SgdOptions::default;
    let options = [
        SgdOptions { lr: 0.1, momentum: 0.9, weight_decay: 0.1, nesterov: true, ..base() },
        SgdOptions {
            lr: 0.03,
            momentum: 0.7,
            dampening: 0.3,
            weight_decay: 0.01,
            maximize: true,
            ..base()
        },
        SgdOptions { lr: 0.1, weight_decay: 0.05, ..base() },
    ];
    for (options, want) in options.into_iter().zip(TORCH) {
        let value = |i: i32| ((i * 37) % 101 - 50) as f32 / 64.0;
        let grad = |i: i32, t: i32| ((i * 53 + t * 29) % 97 - 48) as f32 / 128.0;
        let p = Parameter::new((0..32).map(value).collect::<Vec<_>>());
        let mut opt = Sgd::from_parameters([p.clone()], options.clone()).unwrap();
        for t in 0..5 {
            let grad: Array = (0..32).map(|i| grad(i, t)).collect::<Vec<_>>().into();
            p.set_grad(Some(grad.into()));
            opt.step().unwrap();
        }
        let got: Vec<u32> = p.to_vec::<f32>().into_iter().map(f32::to_bits).collect();
        assert_eq!(got, want, "{options:?}");
    }
}
