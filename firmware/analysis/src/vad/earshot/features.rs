//! Forty mel bands of a hop, as logarithms, with the loudness of the whole taken out.

use undertone_dsp::{FilterBank, FilterWork, PowerSpectrum, SpectrumWork, ln};

/// Samples of a hop.
pub(super) const HOP: usize = 256;
/// Bands of a hop.
pub(super) const BANDS: usize = 40;

const WINDOW: usize = 3 * HOP;
const FFT: usize = 1_024;
const BINS: usize = FFT / 2 + 1;
const PRE_EMPHASIS: f32 = 0.97;
/// What keeps the logarithm of silence finite.
const FLOOR: f32 = 1e-20;
/// Bins where the triangles of the bands begin, peak and end: band `n` has the edges `n`, `n + 1` and `n + 2`.
const EDGES: [u16; BANDS + 2] = [
    4, 7, 10, 13, 17, 21, 25, 29, 33, 38, 43, 48, 54, 60, 66, 73, 80, 87, 95, 103, 112, 122, 132,
    142, 153, 165, 178, 191, 205, 220, 236, 253, 270, 289, 309, 330, 353, 376, 402, 428, 456, 486,
];

/// Transform, bands and their weights.
pub(super) struct Filters {
    spectrum: PowerSpectrum,
    bank: FilterBank,
    scale: [f32; BANDS],
}

impl Filters {
    /// `scale` is what every band is multiplied with in the end.
    pub(super) fn new(scale: [f32; BANDS]) -> Self {
        Self {
            spectrum: PowerSpectrum::new(WINDOW, FFT),
            bank: FilterBank::new(BINS, EDGES.windows(3).map(triangle)),
            scale,
        }
    }
}

/// The first bin of a triangle of height 1, and its weights.
fn triangle(edges: &[u16]) -> (usize, Vec<f32>) {
    let (Some(&low), Some(&high)) = (edges.first(), edges.last()) else {
        return (0, Vec::new());
    };
    let peak = edges[edges.len() / 2];
    let height = |bin: u16| {
        let share = |part, whole| (f64::from(part) / f64::from(whole)) as f32;
        if bin <= peak {
            share(bin - low, peak - low)
        } else {
            share(high - bin, high - peak)
        }
    };
    (usize::from(low), (low..high).map(height).collect())
}

/// The last samples of a channel, and what it works in.
pub(super) struct Features {
    /// Emphasised, the oldest first.
    samples: [f32; WINDOW],
    last: f32,
    power: Box<[f32]>,
    spectrum: SpectrumWork,
    sums: FilterWork,
}

impl Features {
    pub(super) fn new(filters: &Filters) -> Self {
        Self {
            samples: [0.0; WINDOW],
            last: 0.0,
            power: vec![0.0; filters.bank.padded_bins()].into(),
            spectrum: filters.spectrum.workspace(),
            sums: filters.bank.workspace(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.samples = [0.0; WINDOW];
        self.last = 0.0;
    }

    /// Takes the next hop, and writes its bands.
    #[inline(always)]
    pub(super) fn bands(&mut self, filters: &Filters, hop: &[f32; HOP], bands: &mut [f32; BANDS]) {
        self.samples.copy_within(HOP.., 0);
        let emphasised = &mut self.samples[WINDOW - HOP..];
        let mut last = self.last;
        for (emphasised, sample) in emphasised.iter_mut().zip(hop) {
            // A NaN would stay in the state forever.
            let sample = if sample.is_nan() {
                0.0
            } else {
                sample.clamp(-1.0, 1.0)
            };
            *emphasised = sample - PRE_EMPHASIS * last;
            last = sample;
        }
        self.last = last;
        filters
            .spectrum
            .power(&self.samples, &mut self.power, &mut self.spectrum);
        filters.bank.apply(&self.power, bands, &mut self.sums);
        for band in bands.iter_mut() {
            *band += FLOOR;
        }
        ln(bands);
        let squares: f32 = bands.iter().map(|band| band * band).sum();
        let scale = 1.0 / (squares / BANDS as f32).sqrt();
        for (band, own) in bands.iter_mut().zip(&filters.scale) {
            *band = own * *band * scale;
        }
    }
}
