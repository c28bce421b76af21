//! The two ways to fit a head, and what comes of them.

use undertone_model::onnx::ModelProto;

use super::AdaptError;
use super::enrolled::Enrolled;
use super::fit;
use super::head::Head;
use super::regression::Regression;

/// How a head is fitted to clips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Its output layer is moved toward a few clips ([`fit`]), so much the less the greater the `prior`.
    Moved {
        /// Weight of the layer given.
        prior: f32,
    },
    /// A new one of one layer is fitted to many clips ([`super::regression`]).
    Regressed,
}

/// A head that was fitted.
#[derive(Clone, Debug)]
pub enum Fitted {
    /// The one given, with its output layer moved.
    Moved(Head),
    /// A new one.
    Regressed(Regression),
}

impl Way {
    /// `head` fitted to `clips`, at the model's `temperature`.
    ///
    /// # Errors
    /// [`AdaptError::OneClass`], for a new one.
    pub fn fit(
        self,
        head: &Head,
        clips: &[Enrolled],
        temperature: f32,
    ) -> Result<Fitted, AdaptError> {
        match self {
            Self::Moved { prior } => Ok(Fitted::Moved(fit::fit(head, clips, temperature, prior))),
            Self::Regressed => {
                let classes = head.output.bias.len();
                Regression::fit(clips, classes, temperature).map(Fitted::Regressed)
            }
        }
    }
}

impl Fitted {
    /// Logits of a clip.
    #[must_use]
    pub fn logits(&self, clip: &Enrolled) -> Vec<f32> {
        match self {
            Self::Moved(head) => head.logits(&clip.hidden),
            Self::Regressed(regression) => regression.logits(&clip.statistics),
        }
    }

    /// Puts it into a graph in the place of the head that was given.
    ///
    /// # Errors
    /// [`AdaptError::Head`].
    pub fn write(&self, model: &mut ModelProto) -> Result<(), AdaptError> {
        match self {
            Self::Moved(head) => head.write(model),
            Self::Regressed(regression) => regression.write(model),
        }
    }
}
