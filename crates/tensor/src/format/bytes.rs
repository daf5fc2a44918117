//! Elements as little-endian bytes, a piece at a time.

use crate::{Array, DType, Element, Shape};
use half::{bf16, f16};
use std::io::{self, Read, Write};

/// Elements that are converted in one go: 32 KiB of the widest type, a first-level cache.
const PIECE: usize = 4096;

/// Write the elements of `x` in row-major order.
pub(super) fn write(x: &Array, out: &mut impl Write) -> io::Result<()> {
    match x.dtype() {
        DType::Bool => encode(x, out, |v: bool| [u8::from(v)]),
        DType::U8 => encode(x, out, |v: u8| [v]),
        DType::I64 => encode(x, out, i64::to_le_bytes),
        DType::F16 => encode(x, out, f16::to_le_bytes),
        DType::Bf16 => encode(x, out, bf16::to_le_bytes),
        DType::F32 => encode(x, out, f32::to_le_bytes),
        DType::F64 => encode(x, out, f64::to_le_bytes),
    }
}

/// Read an array as [`write`] writes it. Errors of kind `InvalidData` are about the elements.
pub(super) fn read(dtype: DType, shape: Shape, input: &mut impl Read) -> io::Result<Array> {
    match dtype {
        DType::Bool => decode(shape, input, |[v]| match v {
            0 => Ok(false),
            1 => Ok(true),
            v => Err(format!("the byte {v} is not a bool")),
        }),
        DType::U8 => decode(shape, input, |[v]| Ok(v)),
        DType::I64 => decode(shape, input, |v| Ok(i64::from_le_bytes(v))),
        DType::F16 => decode(shape, input, |v| Ok(f16::from_le_bytes(v))),
        DType::Bf16 => decode(shape, input, |v| Ok(bf16::from_le_bytes(v))),
        DType::F32 => decode(shape, input, |v| Ok(f32::from_le_bytes(v))),
        DType::F64 => decode(shape, input, |v| Ok(f64::from_le_bytes(v))),
    }
}

fn encode<T: Element, const N: usize>(
    x: &Array,
    out: &mut impl Write,
    bytes: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut piece = [[0; N]; PIECE];
    for values in x.read::<T>().chunks(PIECE) {
        piece.iter_mut().zip(values).for_each(|(b, &v)| *b = bytes(v));
        out.write_all(piece[..values.len()].as_flattened())?;
    }
    Ok(())
}

/// An array whose elements `element` makes from `N` bytes each.
pub(super) fn decode<T: Element, const N: usize>(
    shape: Shape,
    input: &mut impl Read,
    element: impl Fn([u8; N]) -> Result<T, String>,
) -> io::Result<Array> {
    let mut piece = [[0; N]; PIECE];
    let mut fill = |out: &mut [T]| -> io::Result<()> {
        for values in out.chunks_mut(PIECE) {
            let piece = &mut piece[..values.len()];
            input.read_exact(piece.as_flattened_mut())?;
            for (v, &b) in values.iter_mut().zip(&*piece) {
                *v = element(b).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
            }
        }
        Ok(())
    };
    let mut filled = Ok(());
    let array = Array::build(shape, |out| filled = fill(out));
    filled.map(|()| array)
}
