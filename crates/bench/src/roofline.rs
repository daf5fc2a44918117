//! `gradus-bench --roofline`: what each workload reaches of what the machine can do.
//!
//! ```text
//! floor = max(FLOP / peak, bytes / bandwidth)        reached = floor / median
//! ```
//! Bytes are those that no implementation of the workload can avoid to move: each input read, and each
//! output written, once for each operation. Both limits are measured in the same run.

use serde_json::Value;
use std::error::Error;
use std::process::{Command, Stdio};

/// What a workload must compute and move at least.
#[derive(Clone, Copy, Default)]
struct Work {
    flop: f64,
    bytes: f64,
    /// Is it a product of bf16, for which there are faster instructions?
    bf16: bool,
}

/// Size of an f32.
const F32: f64 = 4.0;
/// Parameters of the optimizer workloads.
const PARAMETERS: f64 = 1e7;
/// 16 Mi elements.
const BIG: f64 = (16 << 20) as f64;
/// Rows times columns of the `softmax` and `layernorm` workloads.
const SOFTMAX: f64 = 4096.0 * 4096.0;
const LAYER_NORM: f64 = 8192.0 * 1024.0;
/// `op(x).sum().backward()`: x is read twice, y written and read, the gradient of x written.
const THERE_AND_BACK: f64 = 5.0;
/// Images of a batch, and taps of a kernel along an axis.
const BATCH: f64 = 64.0;
const KERNEL: f64 = 3.0;

fn product(n: f64, batch: f64, size: f64) -> Work {
    Work { flop: batch * 2.0 * n * n * n, bytes: batch * 3.0 * n * n * size, bf16: false }
}

fn streams(elements: f64, count: f64) -> Work {
    Work { bytes: elements * F32 * count, ..Work::default() }
}

/// A 3 x 3 convolution: channels in and out, sizes of input and output image. Products with the padding,
/// at most one element wide, are none.
fn convolution([inputs, outputs, size, out]: [f64; 4]) -> Work {
    let padding = (out + KERNEL - 1.0 - size) / 2.0;
    let pairs = KERNEL * out - 2.0 * padding;
    let flop = 2.0 * BATCH * inputs * outputs * pairs * pairs;
    let numbers = BATCH * (inputs * size * size + outputs * out * out);
    Work { flop, bytes: numbers * F32, bf16: false }
}

/// A training step of linear layers: forward, and two products back except in the first layer; Adam
/// moves 28 bytes a parameter.
fn perceptron(sizes: &[f64], batch: f64) -> Work {
    let layers = sizes.windows(2).map(|s| s[0] * s[1]);
    let weights: f64 = layers.clone().sum();
    let flop = 2.0 * batch * (3.0 * weights - layers.take(1).sum::<f64>());
    Work { flop, bytes: weights * 28.0, bf16: false }
}

/// Forward, input and weight gradient of the two convolutions, and of the two linear layers.
fn mnist_cnn() -> Work {
    let first = convolution([1.0, 32.0, 28.0, 26.0]).flop;
    let second = convolution([32.0, 64.0, 26.0, 24.0]).flop;
    let linear = perceptron(&[9216.0, 128.0, 10.0], BATCH);
    // The gradient of the flattened images is wanted, too.
    let flattened = 2.0 * BATCH * 9216.0 * 128.0;
    let flop = 2.0 * first + 3.0 * second + linear.flop + flattened;
    // SGD with momentum moves 20 bytes a parameter.
    Work { flop, bytes: 1_199_882.0 * 20.0, bf16: false }
}

fn work(id: &str) -> Option<Work> {
    if let Some(layer) = id.strip_prefix("conv_").and_then(|rest| rest.split('_').nth(1)) {
        return Some(convolution(match layer {
            "mnist1" => [1.0, 32.0, 28.0, 26.0],
            "mnist2" => [32.0, 64.0, 26.0, 24.0],
            "cnn1" => [3.0, 32.0, 32.0, 32.0],
            "cnn2" => [32.0, 64.0, 16.0, 16.0],
            "cnn3" => [64.0, 128.0, 8.0, 8.0],
            _ => return None,
        }));
    }
    Some(match id {
        "matmul_f32_256" | "matmul_f32_256_ta" | "matmul_f32_256_tb" => product(256.0, 1.0, F32),
        "matmul_f32_256_b8" => product(256.0, 8.0, F32),
        "matmul_f32_512" => product(512.0, 1.0, F32),
        "matmul_f32_1024" => product(1024.0, 1.0, F32),
        "matmul_f32_2048" => product(2048.0, 1.0, F32),
        "matmul_f16_1024" => product(1024.0, 1.0, 2.0),
        "matmul_bf16_1024" => Work { bf16: true, ..product(1024.0, 1.0, 2.0) },
        "add_16m" => streams(BIG, 3.0),
        "elementwise_gelu_16m" => streams(BIG, THERE_AND_BACK),
        "softmax_4096x4096" => streams(SOFTMAX, THERE_AND_BACK),
        "layernorm_8192x1024" => streams(LAYER_NORM, THERE_AND_BACK),
        "opt_sgdm_10m" => streams(PARAMETERS, 5.0),
        "opt_adam_10m" | "opt_adamw_10m" => streams(PARAMETERS, 7.0),
        // The norm reads, and writes what the clip before left to multiply.
        "clip_norm_10m" => streams(PARAMETERS, 2.0),
        "mlp_small" => perceptron(&[784.0, 256.0, 128.0, 10.0], 64.0),
        "mlp_large" => perceptron(&[784.0, 1024.0, 1024.0, 10.0], 512.0),
        "mnist_cnn" => mnist_cnn(),
        _ => return None,
    })
}

/// The line of one id, from a process of its own.
fn measured(id: &str, threads: usize, budget: f64) -> Result<Value, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--threads", &threads.to_string(), "--budget", &budget.to_string(), id])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(serde_json::from_slice(&output.stdout).map_err(|e| format!("{id}: {e}"))?)
}

/// Prints the table.
pub(crate) fn print(ids: &[String], threads: usize, budget: f64) -> Result<(), Box<dyn Error>> {
    let limit = |id: &str, key: &str| -> Result<f64, Box<dyn Error>> {
        Ok(measured(id, threads, budget)?[key].as_f64().unwrap_or(f64::NAN))
    };
    let peak = limit("machine_fma_f32", "gflops")?;
    // Whatever multiplies bf16 fastest; a product may also be computed in f32.
    let pairs = limit("machine_dpbf16", "gflops")?;
    let bf16 = pairs.max(limit("machine_amx_bf16", "gflops")?).max(peak);
    let bandwidth = limit("machine_triad", "gb_s")?;
    println!(
        "{threads} threads: f32 {peak:.0} GF/s, bf16 {bf16:.0} GF/s, triad {bandwidth:.1} GB/s\n"
    );
    println!("| workload | median ms | GF/s | GB/s | floor ms | reached | bound by |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for id in ids {
        let Some(work) = work(id) else { continue };
        let seconds = measured(id, threads, budget)?["median_s"].as_f64().unwrap_or(f64::NAN);
        let peak = if work.bf16 { bf16 } else { peak };
        let (compute, memory) = (work.flop / peak / 1e9, work.bytes / bandwidth / 1e9);
        let floor = compute.max(memory);
        println!(
            "| `{id}` | {:.3} | {:.0} | {:.1} | {:.3} | {:.0} % | {} |",
            seconds * 1e3,
            work.flop / seconds / 1e9,
            work.bytes / seconds / 1e9,
            floor * 1e3,
            100.0 * floor / seconds,
            if compute > memory { "arithmetic" } else { "memory" }
        );
    }
    Ok(())
}
