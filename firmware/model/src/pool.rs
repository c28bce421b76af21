//! Pooling over an utterance by running sums: mean, deviation, maximum and attention-weighted mean of encoder steps.
//!
//! Sums are kept per chunk of a second or so, in a ring, so that a long utterance is judged by its last `window` and
//! the cost of a step stays the same. Up to one window's length the result is that of the whole utterance.

/// Added to the variance before the square root; the network was trained with it.
const VARIANCE_FLOOR: f64 = 1e-5;
/// Chunks that a window is divided into.
const CHUNKS: usize = 8;

/// Sums over the steps of one chunk.
#[derive(Clone, Debug)]
struct Chunk {
    steps: usize,
    weight: f64,
    sum: Box<[f64]>,
    square: Box<[f64]>,
    weighted: Box<[f64]>,
    maximum: Box<[f32]>,
}

impl Chunk {
    fn new(width: usize) -> Self {
        let zeros = || vec![0.0; width].into_boxed_slice();
        Self {
            steps: 0,
            weight: 0.0,
            sum: zeros(),
            square: zeros(),
            weighted: zeros(),
            maximum: vec![f32::NEG_INFINITY; width].into_boxed_slice(),
        }
    }

    fn clear(&mut self) {
        self.steps = 0;
        self.weight = 0.0;
        self.sum.fill(0.0);
        self.square.fill(0.0);
        self.weighted.fill(0.0);
        self.maximum.fill(f32::NEG_INFINITY);
    }

    fn add(&mut self, step: &[f32], score: f32) {
        let weight = f64::from(score).exp();
        self.steps += 1;
        self.weight += weight;
        for (index, &value) in step.iter().enumerate() {
            let wide = f64::from(value);
            self.sum[index] += wide;
            self.square[index] += wide * wide;
            self.weighted[index] += weight * wide;
            self.maximum[index] = self.maximum[index].max(value);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.steps += other.steps;
        self.weight += other.weight;
        let add = |to: &mut [f64], from: &[f64]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from)
        };
        add(&mut self.sum, &other.sum);
        add(&mut self.square, &other.square);
        add(&mut self.weighted, &other.weighted);
        self.maximum
            .iter_mut()
            .zip(&other.maximum)
            .for_each(|(to, from)| *to = to.max(*from));
    }
}

/// Running statistics of one utterance. Everything is allocated at construction.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    chunks: Vec<Chunk>,
    current: usize,
    chunk_steps: usize,
    total: Chunk,
}

impl Pool {
    /// For steps of `width` values and a window of `window` steps.
    pub(crate) fn new(width: usize, window: usize) -> Self {
        Self {
            // One chunk is being filled while `CHUNKS` full ones make up the window.
            chunks: vec![Chunk::new(width); CHUNKS + 1],
            current: 0,
            chunk_steps: window.div_ceil(CHUNKS).max(1),
            total: Chunk::new(width),
        }
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) {
        self.chunks.iter_mut().for_each(Chunk::clear);
        self.current = 0;
    }

    /// Takes an encoder step and its attention score.
    pub(crate) fn push(&mut self, step: &[f32], score: f32) {
        if self.chunks[self.current].steps == self.chunk_steps {
            self.current = (self.current + 1) % self.chunks.len();
            self.chunks[self.current].clear();
        }
        self.chunks[self.current].add(step, score);
    }

    /// Writes `4 * width` statistics; `false` before the first step.
    pub(crate) fn statistics(&mut self, out: &mut [f32]) -> bool {
        let total = &mut self.total;
        total.clear();
        self.chunks.iter().for_each(|chunk| total.merge(chunk));
        if total.steps == 0 {
            return false;
        }
        let (count, width) = (total.steps as f64, total.sum.len());
        for index in 0..width {
            let mean = total.sum[index] / count;
            let variance = (total.square[index] / count - mean * mean).max(0.0);
            out[index] = mean as f32;
            out[width + index] = (variance + VARIANCE_FLOOR).sqrt() as f32;
            out[2 * width + index] = total.maximum[index];
            out[3 * width + index] = (total.weighted[index] / total.weight) as f32;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(pool: &mut Pool, width: usize) -> Vec<f32> {
        let mut out = vec![0.0; 4 * width];
        assert!(pool.statistics(&mut out));
        out
    }

    #[test]
    fn statistics_of_two_steps_are_those_of_the_definition() {
        let mut pool = Pool::new(1, 80);
        pool.push(&[1.0], 0.0);
        pool.push(&[4.0], 3f32.ln());
        let out = pooled(&mut pool, 1);
        for (found, expected) in out.iter().zip([2.5, 1.5, 4.0, 3.25]) {
            assert!((found - expected).abs() < 1e-5, "{out:?}");
        }
    }

    #[test]
    fn steps_older_than_the_window_are_forgotten() {
        let mut pool = Pool::new(1, 16);
        (0..4).for_each(|_| pool.push(&[100.0], 0.0));
        (0..18).for_each(|_| pool.push(&[1.0], 0.0));
        assert_eq!(pooled(&mut pool, 1)[2], 1.0);
    }

    #[test]
    fn nothing_within_the_window_is_forgotten() {
        for window in [1, 5, 8, 100] {
            let mut pool = Pool::new(1, window);
            pool.push(&[100.0], 0.0);
            (1..window).for_each(|_| pool.push(&[1.0], 0.0));
            assert_eq!(pooled(&mut pool, 1)[2], 100.0, "{window}");
        }
    }

    #[test]
    fn a_reset_pool_has_no_statistics_and_starts_as_new() {
        let mut pool = Pool::new(2, 10);
        assert!(!pool.statistics(&mut [0.0; 8]));
        pool.push(&[5.0, 6.0], 1.0);
        pool.reset();
        assert!(!pool.statistics(&mut [0.0; 8]));
        pool.push(&[1.0, 2.0], 1.0);
        assert_eq!(pooled(&mut pool, 2)[..2], [1.0, 2.0]);
    }
}
