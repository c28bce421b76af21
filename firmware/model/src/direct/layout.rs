//! Where the values of a network lie.

/// One value of the network: an activation, column by column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// Rows of a column (frequencies), without padding.
    pub(super) rows: usize,
    /// Values of a row.
    pub(super) channels: usize,
    /// Columns per step.
    pub(super) rate: usize,
    /// Rows of zeros before and behind.
    pub(super) above: usize,
    pub(super) below: usize,
    /// Columns that convolutions look back at.
    pub(super) past: usize,
}

impl Value {
    /// Numbers in a column.
    pub(super) fn values(&self) -> usize {
        self.rows * self.channels
    }

    /// Numbers from one column to the next.
    pub(super) fn pitch(&self) -> usize {
        (self.above + self.rows + self.below) * self.channels
    }
}

/// All values.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) values: Vec<Value>,
}

/// What one channel looks back at.
#[derive(Clone, Debug)]
pub(crate) struct History(Box<[f32]>);

impl History {
    /// Forgets: everything looked back at is zero, as before the first column.
    pub(crate) fn clear(&mut self) {
        self.0.fill(0.0);
    }
}

/// Working memory: for every value the columns looked back at, then the new ones.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) values: Vec<Box<[f32]>>,
}

impl Layout {
    pub(super) fn history(&self) -> History {
        let length = self
            .values
            .iter()
            .map(|value| value.past * value.pitch())
            .sum();
        History(vec![0.0; length].into())
    }

    pub(super) fn scratch(&self) -> Scratch {
        let values = self.values.iter().map(|value| {
            vec![0.0; (value.past + value.rate * super::BATCH) * value.pitch()].into()
        });
        Scratch {
            values: values.collect(),
        }
    }

    /// Numbers of working memory; `None` if there is no such number.
    pub(super) fn size(&self) -> Option<usize> {
        self.values.iter().try_fold(0usize, |sum, value| {
            let rows = value
                .above
                .checked_add(value.rows)?
                .checked_add(value.below)?;
            let columns = value
                .rate
                .checked_mul(super::BATCH)?
                .checked_add(value.past)?;
            let size = rows.checked_mul(value.channels)?.checked_mul(columns)?;
            sum.checked_add(size)
        })
    }
}

impl Scratch {
    /// The rows, without padding, of new column `index`.
    pub(super) fn rows(&self, layout: &Layout, value: usize, index: usize) -> &[f32] {
        let about = &layout.values[value];
        let start = (about.past + index) * about.pitch() + about.above * about.channels;
        &self.values[value][start..start + about.values()]
    }

    /// The same, to be written.
    pub(super) fn rows_mut(&mut self, layout: &Layout, value: usize, index: usize) -> &mut [f32] {
        let about = &layout.values[value];
        let start = (about.past + index) * about.pitch() + about.above * about.channels;
        &mut self.values[value][start..start + about.values()]
    }

    /// Has a value written while the others are read; among them it is empty meanwhile.
    pub(super) fn write(&mut self, value: usize, write: impl FnOnce(&Self, &mut [f32])) {
        let mut taken = std::mem::take(&mut self.values[value]);
        write(self, &mut taken);
        self.values[value] = taken;
    }

    /// Puts a channel's past in front of the new columns.
    pub(super) fn recall(&mut self, layout: &Layout, history: &History) {
        let mut rest = &history.0[..];
        for (about, value) in layout.values.iter().zip(&mut self.values) {
            let (past, later) = rest.split_at(about.past * about.pitch());
            value[..past.len()].copy_from_slice(past);
            rest = later;
        }
    }

    /// Keeps the last columns as the channel's past, after `steps` steps.
    pub(super) fn keep(&self, layout: &Layout, history: &mut History, steps: usize) {
        let mut rest = &mut history.0[..];
        for (about, value) in layout.values.iter().zip(&self.values) {
            let (past, later) = rest.split_at_mut(about.past * about.pitch());
            let start = steps * about.rate * about.pitch();
            past.copy_from_slice(&value[start..start + past.len()]);
            rest = later;
        }
    }
}
