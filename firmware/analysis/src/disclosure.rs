//! What of an utterance may be told.

use undertone_events::{Aggregator, EndReason};

use crate::channel::Told;

/// What a channel tells about utterances.
#[derive(Debug)]
pub enum Disclosure {
    /// Everything.
    Events,
    /// Histograms only; single utterances do not leave the channel.
    Aggregate(Aggregator),
    /// Nothing, since no model runs.
    Acoustic,
}

impl Disclosure {
    /// Passes on what may be told, and counts what may not.
    pub(crate) fn pass(&mut self, told: Told, tell: &mut dyn FnMut(Told)) {
        match (self, told) {
            (Disclosure::Events, told) | (_, told @ Told::Level(_)) => tell(told),
            (Disclosure::Aggregate(aggregator), Told::Event(event)) => aggregator.take(&event),
            (Disclosure::Aggregate(_) | Disclosure::Acoustic, _) => {}
        }
    }

    /// The audio has been heard up to a sample at the model's rate.
    pub(crate) fn advance(&mut self, at_sample: u64, tell: &mut dyn FnMut(Told)) {
        if let Disclosure::Aggregate(aggregator) = self
            && let Some(aggregate) = aggregator.advance(at_sample)
        {
            tell(Told::Aggregate(aggregate));
        }
    }

    /// Everything that was open has ended at a sample, for a reason.
    pub(crate) fn close(&mut self, reason: EndReason, at_sample: u64, tell: &mut dyn FnMut(Told)) {
        if let (Disclosure::Aggregate(aggregator), EndReason::Shutdown) = (self, reason)
            && let Some(aggregate) = aggregator.close(at_sample)
        {
            tell(Told::Aggregate(aggregate));
        }
    }
}
