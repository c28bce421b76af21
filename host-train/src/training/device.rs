//! Where tensors are computed.

use burn::tensor::Device;

use super::TrainingError;

/// A place to train on. Only the CPU is in every build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Place {
    /// The processor.
    Cpu,
    /// A GPU through Vulkan (feature `vulkan`).
    Vulkan,
    /// An NVIDIA GPU through CUDA (feature `cuda`).
    Cuda,
    /// The processor through libtorch (feature `tch`).
    Torch,
    /// An NVIDIA GPU through libtorch (feature `tch`).
    TorchCuda,
}

impl Place {
    /// The device, ready to train on.
    ///
    /// # Errors
    /// [`TrainingError::NoDevice`] if this build lacks it.
    #[cfg_attr(feature = "tch", allow(deprecated))] // burn means to drop libtorch; on the CPU it is the fastest it has
    pub fn device(self) -> Result<Device, TrainingError> {
        let device = match self {
            Self::Cpu => Some(Device::flex()),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Some(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(Device::cuda(0)),
            #[cfg(feature = "tch")]
            Self::Torch => Some(Device::libtorch()),
            #[cfg(feature = "tch")]
            Self::TorchCuda => Some(Device::libtorch_cuda(0)),
            #[allow(unreachable_patterns)] // with every feature on, nothing is left
            _ => None,
        };
        let (name, feature) = match self {
            Self::Cpu => ("cpu", "default"),
            Self::Vulkan => ("vulkan", "vulkan"),
            Self::Cuda => ("cuda", "cuda"),
            Self::Torch => ("torch", "tch"),
            Self::TorchCuda => ("torch-cuda", "tch"),
        };
        device
            .map(Device::autodiff)
            .ok_or(TrainingError::NoDevice { name, feature })
    }
}
