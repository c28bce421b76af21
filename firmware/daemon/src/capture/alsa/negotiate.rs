//! What a device can deliver, and what of it is taken.

use alsa::ValueOr;
use alsa::pcm::{Access, Format as AlsaFormat, HwParams, PCM};

use super::cause;
use crate::capture::convert::Encoding;
use crate::capture::{CaptureError, Format};

/// Rates in the order of preference: the analysis runs at 16 kHz, and its multiples are cheapest to bring there.
const RATES: [u32; 9] = [
    16_000, 48_000, 32_000, 44_100, 96_000, 24_000, 22_050, 192_000, 8_000,
];
/// How often the device wakes the reader.
const PERIOD_US: u32 = 20_000;
/// How long the reader may be late before samples are lost.
const BUFFER_US: u32 = 500_000;

const ENCODINGS: [(AlsaFormat, Encoding); 5] = [
    (AlsaFormat::s16(), Encoding::I16),
    (AlsaFormat::s32(), Encoding::I32),
    (AlsaFormat::float(), Encoding::F32),
    (AlsaFormat::s24(), Encoding::I24In4),
    (AlsaFormat::S243LE, Encoding::I24Le3),
];

/// What was settled with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Negotiated {
    pub(super) format: Format,
    pub(super) encoding: Encoding,
}

/// Settles encoding, channels and rate: those asked for, or the most suitable that the device offers.
pub(super) fn settle(
    name: &str,
    pcm: &PCM,
    rate: Option<u32>,
    channels: Option<u32>,
) -> Result<Negotiated, CaptureError> {
    let unsupported = |what: String| {
        move |error: alsa::Error| CaptureError::Unsupported {
            name: name.to_owned(),
            what,
            reason: cause(error),
        }
    };
    let params = HwParams::any(pcm).map_err(unsupported("any setting".into()))?;
    params
        .set_access(Access::RWInterleaved)
        .map_err(unsupported("interleaved reading".into()))?;

    let (_, encoding) = first(&ENCODINGS, |(format, _)| params.set_format(*format)).map_err(
        unsupported("16, 24 or 32-bit integer or 32-bit float samples".into()),
    )?;

    let channels = match channels {
        Some(wanted) => {
            params
                .set_channels(wanted)
                .map_err(unsupported(format!("{wanted} channels")))?;
            wanted
        }
        None => {
            let fewest = params
                .get_channels_min()
                .map_err(unsupported("a number of channels".into()))?;
            let wanted = [1, 2, fewest];
            first(&wanted, |count| params.set_channels(*count))
                .map_err(unsupported("any number of channels".into()))?
        }
    };

    // Conversion by a plugin of ALSA is the last resort: our own resampler is better than its default one.
    let native = params
        .set_rate_resample(false)
        .and_then(|()| choose_rate(&params, rate));
    let rate = match native {
        Ok(rate) => rate,
        Err(_) => {
            params
                .set_rate_resample(true)
                .map_err(unsupported("resampling".into()))?;
            let what = rate.map_or("any usual rate".into(), |rate| format!("{rate} Hz"));
            choose_rate(&params, rate).map_err(unsupported(what))?
        }
    };

    // The two times are wishes; a device that knows better is left to it.
    let _ = params.set_period_time_near(PERIOD_US, ValueOr::Nearest);
    let _ = params.set_buffer_time_near(BUFFER_US, ValueOr::Nearest);
    pcm.hw_params(&params)
        .map_err(unsupported("these settings together".into()))?;
    Ok(Negotiated {
        format: Format {
            rate,
            channels: channels as usize,
        },
        encoding,
    })
}

fn choose_rate(params: &HwParams<'_>, wanted: Option<u32>) -> Result<u32, alsa::Error> {
    let set = |rate: &u32| params.set_rate(*rate, ValueOr::Nearest);
    match wanted {
        Some(rate) => set(&rate).map(|()| rate),
        None => first(&RATES, set).or_else(|_| params.set_rate_near(RATES[0], ValueOr::Nearest)),
    }
}

/// The first candidate that is accepted, or the error of the last.
fn first<T: Copy>(
    candidates: &[T],
    accept: impl Fn(&T) -> Result<(), alsa::Error>,
) -> Result<T, alsa::Error> {
    let mut refusal = alsa::Error::unsupported("negotiation");
    for candidate in candidates {
        match accept(candidate) {
            Ok(()) => return Ok(*candidate),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}
