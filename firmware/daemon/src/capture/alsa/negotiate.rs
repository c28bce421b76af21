//! What a device can deliver, and what of it is taken.

use alsa::ValueOr;
use alsa::pcm::{Access, Format as AlsaFormat, HwParams, PCM};

use super::cause;
use crate::capture::{CaptureError, CaptureOptions, Encoding, Format};

/// Rates in the order of preference: the analysis runs at 16 kHz, and its multiples are cheapest to bring there.
pub(super) const RATES: [u32; 9] = [
    16_000, 48_000, 32_000, 44_100, 96_000, 24_000, 22_050, 192_000, 8_000,
];

/// Encodings in the order of preference: what needs least to be moved, and is exact.
pub(super) const ENCODINGS: [(AlsaFormat, Encoding); 5] = [
    (AlsaFormat::s16(), Encoding::I16),
    (AlsaFormat::s24(), Encoding::I24In4),
    (AlsaFormat::S243LE, Encoding::I24Le3),
    (AlsaFormat::s32(), Encoding::I32),
    (AlsaFormat::float(), Encoding::F32),
];

/// The most channels of a device.
const MAX_CHANNELS: u32 = 32;

/// What was settled with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Negotiated {
    pub(super) format: Format,
    pub(super) encoding: Encoding,
    /// Frames that the device delivers at once; at least 1.
    pub(super) period_frames: usize,
}

/// Settles encoding, channels and rate: those asked for, or the most suitable that the device offers.
pub(super) fn settle(
    name: &str,
    pcm: &PCM,
    options: &CaptureOptions,
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

    let offered: Vec<_> = ENCODINGS
        .into_iter()
        .filter(|(_, encoding)| options.device_format.is_none_or(|asked| asked == *encoding))
        .collect();
    let what = match options.device_format {
        Some(asked) => format!("samples as {asked:?}"),
        None => "16, 24 or 32-bit integer or 32-bit float samples".into(),
    };
    let (_, encoding) =
        first(&offered, |(format, _)| params.set_format(*format)).map_err(unsupported(what))?;

    let channels =
        choose_channels(&params, options).map_err(|(what, error)| unsupported(what)(error))?;

    // Conversion by a plugin of ALSA is the last resort: our own resampler is better than its default one.
    let native = params
        .set_rate_resample(false)
        .and_then(|()| choose_rate(&params, options.device_rate));
    let rate = match native {
        Ok(rate) => rate,
        Err(_) => {
            params
                .set_rate_resample(true)
                .map_err(unsupported("resampling".into()))?;
            let what = options
                .device_rate
                .map_or("any usual rate".into(), |rate| format!("{rate} Hz"));
            choose_rate(&params, options.device_rate).map_err(unsupported(what))?
        }
    };

    // The two times are wishes; a device that knows better is left to it.
    let _ = params.set_period_time_near(options.period_ms * 1000, ValueOr::Nearest);
    let _ = params.set_buffer_time_near(options.buffer_ms * 1000, ValueOr::Nearest);
    pcm.hw_params(&params)
        .map_err(unsupported("these settings together".into()))?;
    let asked_for = rate as usize * options.period_ms as usize / 1000;
    let period = params.get_period_size().ok();
    Ok(Negotiated {
        format: Format {
            rate,
            channels: channels as usize,
        },
        encoding,
        period_frames: period
            .and_then(|frames| usize::try_from(frames).ok())
            // A plugin may call the whole buffer a period.
            .map_or(asked_for, |frames| frames.min(2 * asked_for))
            .max(1),
    })
}

/// As many channels as are asked for, otherwise the fewest that hold those that are picked.
fn choose_channels(
    params: &HwParams<'_>,
    options: &CaptureOptions,
) -> Result<u32, (String, alsa::Error)> {
    if let Some(wanted) = options.device_channels {
        return params
            .set_channels(wanted)
            .map(|()| wanted)
            .map_err(|error| (format!("{wanted} channels"), error));
    }
    let picked = options.pick.channels_needed().unwrap_or(1);
    let needed = u32::try_from(picked).unwrap_or(u32::MAX);
    let fewest = params.get_channels_min().unwrap_or(1);
    let most = params.get_channels_max().unwrap_or(needed);
    let wanted: Vec<u32> = if options.pick.channels_needed().is_some() {
        (needed.max(fewest)..=most.min(MAX_CHANNELS)).collect()
    } else {
        vec![1, 2, fewest]
    };
    first(&wanted, |count| params.set_channels(*count)).map_err(|error| {
        let what = format!("{needed} channel(s) or more");
        (what, error)
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
