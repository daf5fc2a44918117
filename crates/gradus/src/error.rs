//! One error for a whole program: `fn main() -> gradus::Result<()>`.

use std::fmt;

/// What the world can do wrong: files, data, configuration, state dicts, hyper-parameters. Wrong shapes
/// and dtypes are mistakes of the program, and panic at its line.
pub enum Error {
    /// A file cannot be read or written, or its contents are damaged.
    Format(gradus_tensor::FormatError),
    /// Data is not what it should be.
    Data(gradus_data::DataError),
    /// An optimizer or a schedule refuses its options, its parameters or a state.
    Optim(gradus_optim::OptimError),
    /// A state dict does not fit a model.
    Load(gradus_nn::LoadError),
    /// A sweep cannot run.
    Graph(gradus_autodiff::GraphError),
    /// An operation refuses its inputs (from the `try_` methods).
    Op(gradus_autodiff::OpError),
    /// The system refuses something.
    Io(std::io::Error),
    /// Whatever else a program has to say.
    Other(Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a program that may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a part is an error of the whole.
macro_rules! from_part {
    ($($Variant:ident: $Part:ty),* $(,)?) => {
        $(impl From<$Part> for Error {
            fn from(e: $Part) -> Self {
                Error::$Variant(e)
            }
        })*

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Error::$Variant(e) => fmt::Display::fmt(e, f),)*
                }
            }
        }

        impl std::error::Error for Error {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    Error::Other(e) => e.source(),
                    Error::Format(e) => e.source(),
                    Error::Data(e) => e.source(),
                    Error::Io(e) => e.source(),
                    Error::Optim(e) => e.source(),
                    Error::Load(e) => e.source(),
                    Error::Graph(_) | Error::Op(_) => None,
                }
            }
        }
    };
}
from_part! {
    Format: gradus_tensor::FormatError,
    Data: gradus_data::DataError,
    Optim: gradus_optim::OptimError,
    Load: gradus_nn::LoadError,
    Graph: gradus_autodiff::GraphError,
    Op: gradus_autodiff::OpError,
    Io: std::io::Error,
    Other: Box<dyn std::error::Error + Send + Sync>,
}

/// `main() -> Result` shows the Debug form, so it is the sentence.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl From<String> for Error {
    fn from(e: String) -> Self {
        Error::Other(e.into())
    }
}
impl From<&str> for Error {
    fn from(e: &str) -> Self {
        Error::Other(e.into())
    }
}
