//! Bad files give an error that names the file and the trouble; none gives a panic.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use flate2::{Compression, write::GzEncoder};
use gradus_data::{DataLoader, Dataset, Idx, Mnist, TensorDataset};
use gradus_tensor::Array;
use proptest::prelude::*;
use std::io::Write;

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn error(bytes: &[u8]) -> String {
    Idx::from_bytes(bytes, "digits.idx").unwrap_err().to_string()
}

#[test]
fn plain_and_gzipped_files_read_the_same() {
    let bytes = idx(&[2, 2], &[1, 2, 3, 4]);
    let want = Idx { dims: vec![2, 2], data: vec![1, 2, 3, 4] };
    assert_eq!(Idx::from_bytes(&bytes, "x").unwrap(), want);
    assert_eq!(Idx::from_bytes(&gz(&bytes), "x").unwrap(), want);
    assert_eq!(Idx::from_bytes(&idx(&[0, 5], &[]), "x").unwrap().dims, [0, 5]);
}

#[test]
fn broken_files_say_what_is_wrong() {
    let good = idx(&[2, 2], &[1, 2, 3, 4]);
    for (bytes, part) in [
        (&good[..3], "inside the magic number"),
        (&good[..9], "inside the sizes"),
        (&good[..15], "needs 4 elements, but the file ends after 3"),
        (&[&good[..], &[0]].concat(), "goes on after the 4 elements"),
        (&[&[1], &good[1..]].concat(), "no IDX file"),
        (&[&[0, 0, 9], &good[3..]].concat(), "type 0x09"),
        (&[0, 0, 8, 0], "rank of 0"),
        (&[0, 0, 8, 200], "rank of 200"),
        (&idx(&[u32::MAX; 3], &[]), "overflow"),
        (&idx(&[u32::MAX, 1000], &[1, 2]), "the file ends after 2"),
        (&gz(&good)[..20], "digits.idx"),
    ] {
        let message = error(bytes);
        assert!(message.starts_with("digits.idx: ") && message.contains(part), "{message}");
    }
    let mut damaged = gz(&good);
    let last = damaged.len() - 6; // in the checksum
    damaged[last] ^= 1;
    assert!(error(&damaged).contains("damaged"), "{}", error(&damaged));
}

#[test]
fn labels_and_images_must_agree() {
    let images = || Idx { dims: vec![2, 28, 28], data: vec![255; 2 * 784] };
    let labels = |l: &[u8]| Idx { dims: vec![l.len()], data: l.to_vec() };
    let new = |i: Idx, l: Idx| Mnist::new(i, &l, "images", "labels").map(|m| m.len());
    assert_eq!(new(images(), labels(&[0, 9])).unwrap(), 2);
    let error = |i: Idx, l: Idx| new(i, l).unwrap_err().to_string();
    assert!(error(images(), labels(&[0, 10])).contains("label 10 of sample 1"));
    assert!(error(images(), labels(&[0])).contains("2 images need labels [2], not [1]"));
    let other = Idx { dims: vec![2, 28], data: vec![0; 56] };
    assert!(error(other, labels(&[0, 1])).contains("images are [N, 28, 28]"));
}

#[test]
fn a_folder_with_the_four_files_opens() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Mnist::open(folder.path()).map(drop).unwrap_err().to_string();
    assert!(missing.contains("there is no train-images-idx3-ubyte"), "{missing}");
    for (part, n) in [("train", 3_u32), ("t10k", 2)] {
        let images = idx(&[n, 28, 28], &vec![51; n as usize * 784]);
        let labels = idx(&[n], &vec![7; n as usize]);
        std::fs::write(folder.path().join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(folder.path().join(format!("{part}-labels-idx1-ubyte.gz")), gz(&labels))
            .unwrap();
    }
    let (train, test) = Mnist::open(folder.path()).unwrap();
    assert_eq!((train.len(), test.len()), (3, 2));
    let (x, y) = train.batch(&[2]).unwrap();
    assert_eq!((x.shape().dims(), y.to_vec::<i64>()), (&[1, 1, 28, 28][..], vec![7]));
    assert_eq!(x.to_vec::<f32>()[0], 0.2);
    assert!(train.batch(&[3]).is_err());
}

fn numbers(n: usize) -> TensorDataset {
    let x = Array::arange(0, n as i64, 1, gradus_tensor::DType::I64);
    TensorDataset::new(x.clone(), x).unwrap()
}

fn epoch(loader: &DataLoader<'_, TensorDataset>) -> Vec<Vec<i64>> {
    loader.iter().map(|b| b.unwrap().0.to_vec::<i64>()).collect()
}

#[test]
fn b58_the_order_is_another_each_epoch_and_the_same_for_the_same_seed() {
    let data = numbers(103);
    let loader = || DataLoader::new(&data).batch_size(10).shuffle(true).seed(5);
    let (one, two) = (loader(), loader());
    let (first, second) = (epoch(&one), epoch(&one));
    assert_ne!(first, second);
    assert_eq!((first.clone(), second.clone()), (epoch(&two), epoch(&two)));
    assert_ne!(first, epoch(&loader().seed(6)));
    let resumed = loader();
    resumed.set_epoch(1);
    assert_eq!(second, epoch(&resumed));
    let mut all: Vec<i64> = first.concat();
    all.sort_unstable();
    assert_eq!(all, (0..103).collect::<Vec<_>>(), "every sample once");
    assert_eq!(first.last().unwrap().len(), 3, "the last batch is partial");
}

#[test]
fn batches_come_in_order_without_shuffling() {
    let data = numbers(5);
    let loader = DataLoader::new(&data).batch_size(2);
    assert_eq!(epoch(&loader), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!((loader.len(), loader.iter().len()), (3, 3));
    assert_eq!(epoch(&DataLoader::new(&data).batch_size(2).drop_last(true)).len(), 2);
    let mut early = loader.iter();
    assert!(early.next().is_some());
    drop(early);
    assert_eq!(epoch(&loader).len(), 3, "an epoch dropped early does no harm");
    assert!(epoch(&DataLoader::new(&numbers(0)).batch_size(2)).is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Idx::from_bytes(&bytes, "noise");
    }
    #[test]
    fn no_change_of_a_good_file_makes_the_reader_panic(
        at in 0..30_usize, to in any::<u8>(), cut in 0..40_usize, zipped in any::<bool>(),
    ) {
        let good = idx(&[3, 2], &[1, 2, 3, 4, 5, 6]);
        let mut bytes = if zipped { gz(&good) } else { good };
        let at = at % bytes.len();
        bytes[at] = to;
        bytes.truncate(cut.max(1));
        let _ = Idx::from_bytes(&bytes, "damaged");
    }
}

#[cfg(feature = "digits")]
#[test]
fn the_embedded_digits_are_mnist() {
    let digits = Mnist::embedded().unwrap();
    assert_eq!(
        (digits.len(), digits.labels().to_vec::<i64>()[..5].to_vec()),
        (10_000, vec![5, 0, 4, 1, 9])
    );
    let (train, test) = digits.split(0.8).unwrap();
    assert_eq!((train.len(), test.len()), (8000, 2000));
    let pixels = digits.images().to_vec::<f32>();
    assert!(pixels.iter().all(|p| (0.0..=1.0).contains(p)) && pixels.contains(&1.0));
    assert!(digits.split(1.5).is_err());
}
