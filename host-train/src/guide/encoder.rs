//! Whisper's encoder: two convolutions, sinusoidal positions, and layers of self-attention and a feed-forward part, each behind
//! a layer normalisation (Radford et al. 2022, after Vaswani et al. 2017).

use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::module::conv1d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::GuideError;
use super::weights::Weights;

/// Width of an attention head, in all sizes of the model.
const HEAD: usize = 64;
/// Fewest positions, a second of sound.
const FEWEST: usize = 50;
/// Added to the variance by layer normalisation.
const FLOOR: f64 = 1e-5;

#[derive(Debug)]
pub(super) struct Encoder {
    /// Kernel and bias.
    convolutions: [(Tensor<3>, Tensor<1>); 2],
    /// `[longest, width]`.
    positions: Tensor<2>,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    norm: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Encoder {
    /// The first `layers` layers.
    pub(super) fn new(
        weights: &Weights,
        layers: usize,
        device: &Device,
    ) -> Result<Self, GuideError> {
        let [width, bands] = match weights.shape("conv1.weight")?[..] {
            [width, bands, 3] => [width, bands],
            // Refused below, with the shape that it has.
            _ => [HEAD, 80],
        };
        if bands == 0 || width == 0 || !width.is_multiple_of(HEAD) {
            let reason = format!(
                "has {width} channels for {bands} bands, and a multiple of {HEAD} is needed"
            );
            return Err(weights.wrong("conv1.weight", reason));
        }
        let longest = weights.shape("embed_positions.weight")?;
        let longest = longest.first().copied().unwrap_or(0);
        if longest < FEWEST {
            let reason = format!("has {longest} positions, and {FEWEST} are needed");
            return Err(weights.wrong("embed_positions.weight", reason));
        }
        let convolution = |name: &str, from: usize| -> Result<_, GuideError> {
            let kernel = weights.tensor(&format!("{name}.weight"), [width, from, 3], device)?;
            let bias = weights.tensor(&format!("{name}.bias"), [width], device)?;
            Ok((kernel, bias))
        };
        Ok(Self {
            convolutions: [convolution("conv1", bands)?, convolution("conv2", width)?],
            positions: weights.tensor("embed_positions.weight", [longest, width], device)?,
            layers: (0..layers)
                .map(|layer| Layer::new(weights, layer, width, device))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Mel bands of its input.
    pub(super) fn bands(&self) -> usize {
        self.convolutions[0].0.dims()[1]
    }

    /// Values of a token.
    pub(super) fn width(&self) -> usize {
        self.positions.dims()[1]
    }

    /// Most tokens that it hears at once.
    pub(super) fn longest(&self) -> usize {
        self.positions.dims()[0]
    }

    /// Tokens `[frames / 2, width]` of log-mel frames `[1, bands, frames]`, an even number of them and at most twice as many as it has positions.
    pub(super) fn forward(&self, mels: Tensor<3>) -> Tensor<2> {
        let mut x = mels;
        for ((kernel, bias), stride) in self.convolutions.iter().zip([1, 2]) {
            let options = ConvOptions::new([stride], [1], [1], 1);
            x = gelu(conv1d(x, kernel.clone(), Some(bias.clone()), options));
        }
        let x: Tensor<2> = x.squeeze_dim::<2>(0).transpose();
        let tokens = x.dims()[0];
        let x = x + self.positions.clone().narrow(0, 0, tokens);
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

impl Layer {
    fn new(
        weights: &Weights,
        layer: usize,
        width: usize,
        device: &Device,
    ) -> Result<Self, GuideError> {
        let name = |part: &str, kind: &str| format!("layers.{layer}.{part}.{kind}");
        let row = |part: &str, kind: &str, width: usize| -> Result<_, GuideError> {
            let row: Tensor<1> = weights.tensor(&name(part, kind), [width], device)?;
            Ok(Param::from_tensor(row))
        };
        let norm = |part: &str| -> Result<LayerNorm, GuideError> {
            let mut norm = LayerNormConfig::new(width).with_epsilon(FLOOR).init(device);
            norm.gamma = row(part, "weight", width)?;
            norm.beta = Some(row(part, "bias", width)?);
            Ok(norm)
        };
        let linear = |part: &str, [from, to]: [usize; 2], bias: bool| -> Result<_, GuideError> {
            let weight: Tensor<2> = weights.tensor(&name(part, "weight"), [to, from], device)?;
            Ok(Linear {
                weight: Param::from_tensor(weight.transpose()),
                bias: bias.then(|| row(part, "bias", to)).transpose()?,
            })
        };
        let square = [width, width];
        Ok(Self {
            attention_norm: norm("self_attn_layer_norm")?,
            query: linear("self_attn.q_proj", square, true)?,
            key: linear("self_attn.k_proj", square, false)?,
            value: linear("self_attn.v_proj", square, true)?,
            out: linear("self_attn.out_proj", square, true)?,
            norm: norm("final_layer_norm")?,
            up: linear("fc1", [width, 4 * width], true)?,
            down: linear("fc2", [4 * width, width], true)?,
        })
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [tokens, width] = x.dims();
        let heads = width / HEAD;
        let normal = self.attention_norm.forward(x.clone());
        let split = |linear: &Linear| -> Tensor<3> {
            let all = linear.forward(normal.clone());
            all.reshape([tokens, heads, HEAD]).swap_dims(0, 1)
        };
        let score = split(&self.query).matmul(split(&self.key).swap_dims(1, 2));
        let weight = softmax(score / (HEAD as f32).sqrt(), 2);
        let heard = weight.matmul(split(&self.value)).swap_dims(0, 1);
        let x = x + self.out.forward(heard.reshape([tokens, width]));
        let inner = gelu(self.up.forward(self.norm.forward(x.clone())));
        x + self.down.forward(inner)
    }
}
