//! `.safetensors`: the reference crate reads and writes the same bytes, and no bytes make it panic.

use gradus_tensor::{
    Array, DType, FormatError, Generator, SafeTensors, bf16, f16, load_safetensors,
    save_safetensors, write_atomically,
};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};

const NONE: BTreeMap<String, String> = BTreeMap::new();

/// One array of every dtype, a scalar, an empty one and a view.
fn sample() -> SafeTensors {
    let g = &mut Generator::new(1);
    let mut file = SafeTensors::default();
    let mut add = |name: &str, x: Array| file.tensors.insert(name.into(), x);
    for dtype in [DType::F16, DType::Bf16, DType::F32, DType::F64] {
        add(&format!("layer.{dtype}"), Array::randn_with([3, 5], dtype, g));
    }
    add("count", Array::scalar(-7, DType::I64));
    add("bytes", Array::randint_with(0, 256, 7, DType::U8, g));
    add("mask", Array::bernoulli_with(0.5, [2, 3], DType::Bool, g));
    add("empty", Array::zeros([0, 4], DType::F32));
    add("view", Array::randn_with([4, 6], DType::F32, g).transpose(0, 1).narrow(0, 1, 3));
    add("näme \"quoted\"", Array::from([f32::NAN, f32::INFINITY, -0.0]));
    file.metadata.insert("format".into(), "pt".into());
    file
}

/// As the bits, so that NaN equals itself.
fn same(a: &SafeTensors, b: &SafeTensors) -> bool {
    a.to_bytes().expect("valid") == b.to_bytes().expect("valid")
}

#[test]
fn what_is_saved_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.safetensors");
    let file = sample();
    save_safetensors(&path, file.tensors.clone(), &file.metadata).unwrap();
    let back = load_safetensors(&path).unwrap();
    assert!(same(&back, &file));
    for (name, x) in &file.tensors {
        assert_eq!(back.tensors[name].meta(), x.meta(), "{name}");
    }
    assert_eq!(back.metadata, file.metadata);
    assert_eq!(std::fs::read(&path).unwrap(), file.to_bytes().unwrap());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn equal_contents_have_equal_bytes_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = sample();
    file.metadata.extend((0..20).map(|i| (format!("key{i}"), i.to_string())));
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    save_safetensors(&a, file.tensors.clone(), &file.metadata).unwrap();
    save_safetensors(&b, file.tensors.clone().into_iter().rev(), &file.metadata).unwrap();
    assert_eq!(std::fs::read(a).unwrap(), std::fs::read(b).unwrap());
}

/// The arrays as the reference crate sees them.
fn views<'a>(
    file: &SafeTensors,
    data: &'a BTreeMap<String, Vec<u8>>,
) -> Vec<(String, TensorView<'a>)> {
    let dtype = |d| match d {
        DType::Bool => Dtype::BOOL,
        DType::U8 => Dtype::U8,
        DType::I64 => Dtype::I64,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
    };
    let view = |(name, x): (&String, &Array)| {
        let view = TensorView::new(dtype(x.dtype()), x.shape().to_vec(), &data[name]);
        (name.clone(), view.expect("sizes fit"))
    };
    file.tensors.iter().map(view).collect()
}

fn plain_bytes(x: &Array) -> Vec<u8> {
    match x.dtype() {
        DType::Bool => x.read::<bool>().iter().map(|&v| u8::from(v)).collect(),
        DType::U8 => x.read::<u8>().to_vec(),
        DType::I64 => x.read::<i64>().iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::F16 => x.read::<f16>().iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::Bf16 => x.read::<bf16>().iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::F32 => x.read::<f32>().iter().flat_map(|v| v.to_le_bytes()).collect(),
        DType::F64 => x.read::<f64>().iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

#[test]
fn the_bytes_are_those_of_the_reference_crate() {
    let file = sample();
    let data = file.tensors.iter().map(|(n, x)| (n.clone(), plain_bytes(x))).collect();
    let metadata = file.metadata.clone().into_iter().collect();
    let want = safetensors::serialize(views(&file, &data), Some(metadata)).unwrap();
    assert!(want == file.to_bytes().unwrap());
    assert!(same(&SafeTensors::from_bytes(&want).unwrap(), &file));
}

#[test]
fn foreign_integers_become_i64() {
    let load = |dtype, data: &[u8]| {
        let view = TensorView::new(dtype, vec![2], data).expect("sizes fit");
        let bytes = safetensors::serialize([("x", view)], None).expect("valid");
        SafeTensors::from_bytes(&bytes).map(|f| f.tensors["x"].clone())
    };
    let pair = |a: i64, b: i64| Array::from([a, b]);
    assert_eq!(load(Dtype::I8, &[0xFF, 5]).unwrap(), pair(-1, 5));
    assert_eq!(load(Dtype::I16, &[0, 0x80, 5, 0]).unwrap(), pair(-32768, 5));
    assert_eq!(load(Dtype::U16, &[0, 0x80, 5, 0]).unwrap(), pair(32768, 5));
    assert_eq!(load(Dtype::I32, &[0, 0, 0, 0x80, 5, 0, 0, 0]).unwrap(), pair(-(1 << 31), 5));
    assert_eq!(load(Dtype::U32, &[0, 0, 0, 0x80, 5, 0, 0, 0]).unwrap(), pair(1 << 31, 5));
    let mut wide = [0; 16];
    wide[0] = 5;
    assert_eq!(load(Dtype::U64, &wide).unwrap(), pair(5, 0));
    wide[15] = 0x80;
    let message = load(Dtype::U64, &wide).unwrap_err().to_string();
    assert!(
        message.contains("tensor `x`: 9223372036854775808 does not fit into int64"),
        "{message}"
    );
    let message = load(Dtype::F8_E4M3, &[1, 2]).unwrap_err().to_string();
    assert!(message.starts_with("tensor `x`: the dtype F8_E4M3 is not supported; save it as"));
    let message = load(Dtype::BOOL, &[1, 2]).unwrap_err().to_string();
    assert!(message.starts_with("tensor `x`: the byte 2 is not a bool"), "{message}");
}

/// A file with this header and `data` bytes behind it.
fn file_of(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn what_is_wrong_is_said() {
    let refused = |bytes: Vec<u8>, want: &str| {
        let error = SafeTensors::from_bytes(&bytes).expect_err(want);
        assert!(error.to_string().contains(want), "{error}");
    };
    let one = |dtype: &str, shape: &str, from: usize, to: usize| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    refused(vec![], "length of the header: the bytes end here");
    refused(vec![9, 0, 0], "length of the header: the bytes end here");
    refused(vec![9, 0, 0, 0, 0, 0, 0, 0], "header: it has 9 bytes, but 0 are there");
    refused(vec![0xFF; 40], "header: it has 18446744073709551615 bytes, but 32 are there");
    refused(file_of("{", 0), "header: EOF");
    refused(file_of("[1]", 0), "expected a map from names to tensors");
    refused(file_of("{}", 3), "data: the tensors take 0 bytes, but 3 are there");
    refused(file_of(&one("F32", "[2]", 0, 8), 7), "the file is cut off");
    refused(file_of(&one("F32", "[2]", 0, 8), 9), "the tensors take 8 bytes, but 9 are there");
    refused(file_of(&one("F32", "[3]", 0, 8), 8), "F32 of shape [3] has 12 bytes, not 8");
    refused(file_of(&one("F16", "[2]", 0, 8), 8), "F16 of shape [2] has 4 bytes, not 8");
    refused(file_of(&one("F32", "[-2]", 0, 8), 8), "invalid value: integer `-2`");
    refused(file_of(&one("F32", "[2]", 4, 12), 12), "the one before ends at 0");
    refused(file_of(&one("F32", "[2]", 8, 0), 8), "it takes the bytes 8..0");
    let huge = "[4294967296,4294967296,4294967296]";
    refused(file_of(&one("F32", huge, 0, 8), 8), "tensor `a`: the shape");
    refused(file_of(&one("F32", "[4611686018427387904]", 0, 8), 8), "is too large");
    let entry = r#""a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#;
    refused(file_of(&format!("{{{entry},{entry}}}"), 1), "`a` stands there twice");
    let overlap = r#""b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#;
    refused(file_of(&format!("{{{entry},{overlap}}}"), 1), "tensor `b`: it takes the bytes 0..1");
    let twice = r#"{"__metadata__":{"k":"v","k":"w"}}"#;
    refused(file_of(twice, 0), "`k` stands there twice");
}

#[test]
fn names_must_be_usable() {
    let one = Array::from([1.0_f32]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    let twice = [("a", one.clone()), ("b", one.clone()), ("a", one.clone())];
    let error = save_safetensors(&path, twice, &NONE).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("x.safetensors: tensor `a`: two arrays have this name; give each its own")
    );
    let error = save_safetensors(&path, [("__metadata__", one)], &NONE).unwrap_err();
    assert!(matches!(error, FormatError::Unsupported { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_missing_file_is_named() {
    let error = load_safetensors("/no/such/net.safetensors").unwrap_err();
    assert!(format!("{error:?}").starts_with("/no/such/net.safetensors: "), "{error}");
    assert!(error.source().is_some());
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(load_safetensors(folder.path()), Err(FormatError::Io { .. })));
    assert!(matches!(write_atomically(folder.path(), |_| Ok(())), Err(FormatError::Io { .. })));
    assert!(write_atomically("", |_| Ok(())).is_err());
    let missing = folder.path().join("none").join("x");
    assert!(write_atomically(missing, |_| Ok(())).is_err());
}

#[test]
fn a_failed_write_leaves_the_old_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    write_atomically(&path, |f| f.write_all(b"old")).unwrap();
    let fails = |f: &mut io::BufWriter<std::fs::File>| {
        f.write_all(&[1; 1_000_000])?;
        Err(io::Error::other("the disk is full"))
    };
    let error = write_atomically(&path, fails).unwrap_err();
    assert!(error.to_string().contains("state: the disk is full"), "{error}");
    let panics = || write_atomically(&path, |_| panic!("half way"));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn links_and_permissions_survive() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let [file, link] = ["file", "link"].map(|name| dir.path().join(name));
    write_atomically(&file, |f| f.write_all(b"old")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    write_atomically(&link, |f| f.write_all(b"new")).unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), b"new");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}

/// Read bytes; if they are valid, writing and reading again must give the same.
fn survive(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(file) = SafeTensors::from_bytes(bytes) {
        let again = SafeTensors::from_bytes(&file.to_bytes().expect("was read"));
        prop_assert!(same(&again.expect("was written"), &file));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = sample().to_bytes().expect("valid");
        for (index, byte) in changes {
            let i = index.index(bytes.len());
            bytes[i] = byte;
        }
        survive(&bytes)?;
    }

    #[test]
    fn cut_and_spliced_headers_never_panic(cut in any::<prop::sample::Index>(), len in 0usize..40, text in "[\\[\\]{}\",:0-9a-z_-]{0,12}") {
        let bytes = sample().to_bytes().expect("valid");
        let header = u64::from_le_bytes(*bytes.first_chunk().expect("long enough")) as usize;
        let mut json = String::from_utf8_lossy(&bytes[8..8 + header]).into_owned();
        let mut from = cut.index(json.len());
        while !json.is_char_boundary(from) { from -= 1; }
        let mut to = (from + len).min(json.len());
        while !json.is_char_boundary(to) { to += 1; }
        json.replace_range(from..to, &text);
        let mut changed = (json.len() as u64).to_le_bytes().to_vec();
        changed.extend(json.as_bytes());
        changed.extend(&bytes[8 + header..]);
        survive(&changed)?;
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), short in any::<bool>()) {
        let mut bytes = bytes;
        if short && bytes.len() > 8 {
            let len = bytes.len() as u64 - 8;
            bytes[..8].copy_from_slice(&len.to_le_bytes());
        }
        survive(&bytes)?;
    }

    #[test]
    fn a_cut_file_is_an_error(index in any::<prop::sample::Index>()) {
        let bytes = sample().to_bytes().expect("valid");
        let cut = index.index(bytes.len());
        prop_assert!(SafeTensors::from_bytes(&bytes[..cut]).is_err());
    }
}
