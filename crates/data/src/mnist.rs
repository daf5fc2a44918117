//! Handwritten digits: MNIST, or any data set in its files (Fashion-MNIST).

use crate::{DataError, Dataset, Idx, TensorDataset};
use gradus_autodiff::Tensor;
use gradus_tensor::Array;
use std::path::{Path, PathBuf};

/// Images f32 `[N, 1, 28, 28]` in 0..1 and labels i64 `[N]` in 0..=9.
///
/// # Source
/// LeCun, Cortes & Burges, *The MNIST database of handwritten digits*; CC BY-SA 3.0.
#[derive(Clone)]
pub struct Mnist(TensorDataset);

/// Pixels along an edge.
const EDGE: usize = 28;
/// Classes; labels are below.
const CLASSES: u8 = 10;

impl Mnist {
    /// The 10,000 digits inside this program: the first images of MNIST's training set.
    ///
    /// # Errors
    /// Never, unless the program is damaged.
    #[cfg(feature = "digits")]
    pub fn embedded() -> Result<Self, DataError> {
        let images: &[u8] = include_bytes!("../data/images-idx3-ubyte.gz");
        let labels: &[u8] = include_bytes!("../data/labels-idx1-ubyte.gz");
        let images = Idx::from_bytes(images, "the embedded images")?;
        let labels = Idx::from_bytes(labels, "the embedded labels")?;
        Mnist::new(images, &labels, "the embedded images", "the embedded labels")
    }
    /// The training and the test set from a folder with the four standard files, gzipped or not:
    /// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`,
    /// `t10k-labels-idx1-ubyte`, each with or without `.gz`.
    ///
    /// # Errors
    /// If a file is missing, cannot be read, or does not hold what it should.
    pub fn open(folder: impl AsRef<Path>) -> Result<(Self, Self), DataError> {
        let folder = folder.as_ref();
        Ok((Mnist::part(folder, "train")?, Mnist::part(folder, "t10k")?))
    }
    fn part(folder: &Path, part: &str) -> Result<Self, DataError> {
        let images = find(folder, &format!("{part}-images-idx3-ubyte"))?;
        let labels = find(folder, &format!("{part}-labels-idx1-ubyte"))?;
        let names = (images.display().to_string(), labels.display().to_string());
        Mnist::new(Idx::open(&images)?, &Idx::open(&labels)?, &names.0, &names.1)
    }
    /// From what the files hold; `images_name` and `labels_name` name them in errors.
    ///
    /// # Errors
    /// If the images are not `[N, 28, 28]`, the labels not `[N]`, or a label is above 9.
    pub fn new(
        images: Idx,
        labels: &Idx,
        images_name: &str,
        labels_name: &str,
    ) -> Result<Self, DataError> {
        let [n, EDGE, EDGE] = images.dims[..] else {
            let why = format!("images are [N, {EDGE}, {EDGE}], not {:?}", images.dims);
            return Err(DataError::corrupt(images_name, why));
        };
        if labels.dims != [n] {
            let why = format!("{n} images need labels [{n}], not {:?}", labels.dims);
            return Err(DataError::corrupt(labels_name, why));
        }
        if let Some(at) = labels.data.iter().position(|&l| l >= CLASSES) {
            let why = format!("label {} of sample {at} is not in 0..=9", labels.data[at]);
            return Err(DataError::corrupt(labels_name, why));
        }
        let pixels: Vec<f32> = images.data.iter().map(|&p| f32::from(p) / 255.0).collect();
        let classes: Vec<i64> = labels.data.iter().map(|&l| i64::from(l)).collect();
        let images = Array::new([n, 1, EDGE, EDGE], &pixels);
        Ok(Mnist(TensorDataset::new(images, Array::from(classes))?))
    }
    /// The first `fraction` of the samples, and the rest.
    ///
    /// # Errors
    /// If `fraction` is not in 0..=1.
    pub fn split(&self, fraction: f64) -> Result<(Self, Self), DataError> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(DataError::Argument(format!("split: {fraction} is not in 0..=1")));
        }
        let n = self.len();
        let at = (n as f64 * fraction).round() as usize;
        Ok((Mnist(self.0.range(0, at)?), Mnist(self.0.range(at, n)?)))
    }
    /// All images, f32 `[N, 1, 28, 28]`.
    pub fn images(&self) -> &Array {
        self.0.inputs()
    }
    /// All labels, i64 `[N]`.
    pub fn labels(&self) -> &Array {
        self.0.targets()
    }
}

impl Dataset for Mnist {
    type Batch = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.0.len()
    }
    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor), DataError> {
        self.0.batch(indices)
    }
}

/// The file of this name, plain or gzipped.
fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let plain = folder.join(name);
    let zipped = folder.join(format!("{name}.gz"));
    match (plain.exists(), zipped.exists()) {
        (true, _) => Ok(plain),
        (_, true) => Ok(zipped),
        _ => Err(DataError::Argument(format!(
            "{}: there is no {name} and no {name}.gz",
            folder.display()
        ))),
    }
}
