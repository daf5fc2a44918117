//! The two networks, `x [N, 1, 28, 28] -> logits [N, 10]`.

use crate::options::Model;
use gradus::prelude::*;

/// Every pixel has weights of its own.
#[derive(Module)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl Mlp {
    fn new() -> Self {
        Mlp { fc1: Linear::new(784, 256), fc2: Linear::new(256, 128), fc3: Linear::new(128, 10) }
    }
}

impl Layer for Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.fc1.forward(&x.flatten(1, -1)).relu();
        self.fc3.forward(&self.fc2.forward(&h).relu())
    }
}

/// Kernels of 3 x 3 pixels look for the same strokes everywhere; the second ones see the strokes of the
/// first. 5,258 parameters, where the other network has 235,146.
#[derive(Module)]
struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc: Linear,
}

impl Cnn {
    fn new() -> Self {
        Cnn {
            conv1: Conv2d::new(1, 8, 3),
            conv2: Conv2d::new(8, 16, 3),
            pool: MaxPool2d::new(2),
            fc: Linear::new(16 * 5 * 5, 10),
        }
    }
}

impl Layer for Cnn {
    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.pool.forward(&self.conv1.forward(x)).relu(); // [N, 8, 13, 13]
        let h = self.pool.forward(&self.conv2.forward(&h)).relu(); // [N, 16, 5, 5]
        self.fc.forward(&h.flatten(1, -1))
    }
}

/// A network with its first weights.
pub(crate) fn network(model: Model) -> Box<dyn Layer> {
    match model {
        Model::Mlp => Box::new(Mlp::new()),
        Model::Cnn => Box::new(Cnn::new()),
    }
}
