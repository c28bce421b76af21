//! Sums of a power spectrum's bins, several at a time.

/// Bins that are multiplied together; a filter's weights are padded with zeros to whole groups.
const LANES: usize = 4;

/// Weights, powers or sums side by side.
type Group = [f32; LANES];

/// Weighted sums over neighbouring bins of a power spectrum, such as a mel filter bank.
pub struct FilterBank {
    runs: Box<[Run]>,
    /// The first bin of every band.
    first_bins: Box<[u32]>,
    weights: Box<[Group]>,
    bins: usize,
}

/// What a filter bank works in; one for each stream.
pub struct FilterWork(Box<[Group]>);

/// Bands in a row that have as many groups of weights each.
struct Run {
    bands: usize,
    groups: usize,
}

impl FilterBank {
    /// One band for each filter: its first bin of `bins`, and the weights from there on.
    pub fn new(bins: usize, filters: impl IntoIterator<Item = (usize, Vec<f32>)>) -> Self {
        let mut runs: Vec<Run> = Vec::new();
        let mut first_bins = Vec::new();
        let mut weights = Vec::new();
        let mut bins = bins;
        for (first_bin, band) in filters {
            let groups = band.len().div_ceil(LANES);
            weights.extend(band.chunks(LANES).map(|chunk| {
                let mut group = [0.0; LANES];
                group[..chunk.len()].copy_from_slice(chunk);
                group
            }));
            bins = bins.max(first_bin + groups * LANES);
            first_bins.push(first_bin as u32);
            match runs.last_mut() {
                Some(run) if run.groups == groups => run.bands += 1,
                _ => runs.push(Run { bands: 1, groups }),
            }
        }
        Self {
            runs: runs.into(),
            first_bins: first_bins.into(),
            weights: weights.into(),
            bins,
        }
    }

    /// Length of the power spectrum that [`apply`](Self::apply) reads: the bins of the FFT, and zeros behind them.
    #[must_use]
    pub fn padded_bins(&self) -> usize {
        self.bins
    }

    /// What [`apply`](Self::apply) works in; one for each stream.
    #[must_use]
    pub fn workspace(&self) -> FilterWork {
        FilterWork(vec![[0.0; LANES]; self.first_bins.len()].into())
    }

    /// Writes the energy of every band; `power` has [`padded_bins`](Self::padded_bins) values.
    #[inline(always)]
    pub fn apply(&self, power: &[f32], energies: &mut [f32], work: &mut FilterWork) {
        let (mut weights, mut first_bins, mut sums) =
            (&*self.weights, &*self.first_bins, &mut *work.0);
        for run in &self.runs {
            let (own, later) = weights.split_at(run.bands * run.groups);
            weights = later;
            let (bins, later) = first_bins.split_at(run.bands);
            first_bins = later;
            let (out, later) = sums.split_at_mut(run.bands);
            sums = later;
            // A known number of groups needs no loop.
            match run.groups {
                1 => sum_known::<1>(power, bins, own, out),
                2 => sum_known::<2>(power, bins, own, out),
                3 => sum_known::<3>(power, bins, own, out),
                4 => sum_known::<4>(power, bins, own, out),
                5 => sum_known::<5>(power, bins, own, out),
                6 => sum_known::<6>(power, bins, own, out),
                groups => sum_any(power, bins, own.chunks_exact(groups.max(1)), out),
            }
        }
        // By itself, so that the compiler adds up several bands at a time.
        for (energy, sums) in energies.iter_mut().zip(&work.0) {
            *energy = (sums[0] + sums[2]) + (sums[1] + sums[3]);
        }
    }
}

/// Sums of bands that have `GROUPS` groups of weights each.
#[inline(always)]
fn sum_known<const GROUPS: usize>(
    power: &[f32],
    first_bins: &[u32],
    weights: &[Group],
    sums: &mut [Group],
) {
    let (weights, _) = weights.as_chunks::<GROUPS>();
    for ((first_bin, weights), sums) in first_bins.iter().zip(weights).zip(sums) {
        let (power, _) = power[*first_bin as usize..].as_chunks();
        *sums = sum_band(&power[..GROUPS], weights);
    }
}

/// The same of any number of groups.
#[inline(always)]
fn sum_any<'a>(
    power: &[f32],
    first_bins: &[u32],
    weights: impl Iterator<Item = &'a [Group]>,
    sums: &mut [Group],
) {
    for ((first_bin, weights), sums) in first_bins.iter().zip(weights).zip(sums) {
        let (power, _) = power[*first_bin as usize..].as_chunks();
        *sums = sum_band(power, weights);
    }
}

#[inline(always)]
fn sum_band(power: &[Group], weights: &[Group]) -> Group {
    let mut sums = [0.0f32; LANES];
    for (power, weights) in power.iter().zip(weights) {
        for lane in 0..LANES {
            sums[lane] += power[lane] * weights[lane];
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use crate::FrontendConfig;

    #[test]
    fn the_padding_behind_the_last_bin_carries_no_weight() {
        let config = FrontendConfig::default();
        let bank = crate::mel::bank(&config);
        let mut power = vec![1.0; bank.padded_bins()];
        let (mut ones, mut huge) = (vec![0.0; 64], vec![0.0; 64]);
        bank.apply(&power, &mut ones, &mut bank.workspace());
        power[config.fft_size / 2 + 1..].fill(1e9);
        bank.apply(&power, &mut huge, &mut bank.workspace());
        assert_eq!(ones, huge);
    }
}
