//! Whose turn it is: with every reload a sink begins before the one of before has said its good-bye.
//!
//! They work one after the other, in the order in which they were made: an outbox on the disk belongs to one, a broker
//! disconnects the older of two clients with one name, and events would come in another order. What a sink cannot get rid
//! of before its end goes to the next one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::outbox::Rest;

static LINE: Mutex<Line> = Mutex::new(Line {
    next: 0,
    places: BTreeMap::new(),
});

struct Line {
    next: u64,
    /// Those who have not ended, and what the ones before them left, by who left it.
    places: BTreeMap<u64, BTreeMap<u64, Rest>>,
}

fn line() -> MutexGuard<'static, Line> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sink's place in the line, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place(u64);

impl Place {
    /// The place behind all others.
    pub(super) fn take() -> Self {
        let mut line = line();
        let number = line.next;
        line.next += 1;
        line.places.insert(number, BTreeMap::new());
        Place(number)
    }

    /// True when all who were before have ended.
    pub(super) fn is_first(&self) -> bool {
        line().places.keys().next() == Some(&self.0)
    }

    /// True when nobody comes after.
    pub(super) fn is_last(&self) -> bool {
        line().places.keys().next_back() == Some(&self.0)
    }

    /// Leaves something to the next one, which has it before its own and behind what still older ones left; gives it back when
    /// there is no next one.
    pub(super) fn leave(&self, rest: Rest) -> Result<(), Rest> {
        let mut line = line();
        match line.places.range_mut(self.0 + 1..).next() {
            Some((_, left)) => {
                left.insert(self.0, rest);
                Ok(())
            }
            None => Err(rest),
        }
    }

    /// What the ones before have left, oldest first.
    pub(super) fn inherit(&self) -> Vec<Rest> {
        let mut line = line();
        let left = line.places.get_mut(&self.0).map(std::mem::take);
        left.unwrap_or_default().into_values().collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = line();
        // Of one that never worked, for instance because the reload failed.
        let Some(left) = line.places.remove(&self.0) else {
            return;
        };
        if let Some((_, next)) = line.places.range_mut(self.0 + 1..).next() {
            next.extend(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(name: &str) -> Rest {
        Rest {
            events: vec![(name.into(), 1, "{}".into())],
            ..Rest::default()
        }
    }

    #[test]
    fn what_is_left_comes_to_the_next_one_in_the_order_of_the_line() {
        let places: Vec<Place> = (0..5).map(|_| Place::take()).collect();
        let [first, second, third, fourth, last] = &places[..] else {
            unreachable!()
        };
        assert!(first.is_first() && !second.is_first());
        assert!(last.is_last() && !fourth.is_last());
        assert_eq!(last.leave(rest("nobody")), Err(rest("nobody")));

        third.leave(rest("third")).unwrap();
        first.leave(rest("first")).unwrap();
        assert_eq!(second.inherit(), [rest("first")]);
        // The second never had its turn.
        first.leave(rest("first")).unwrap();
        second.leave(rest("second")).unwrap();
        let mut places = places;
        let (last, fourth, third) = (places.pop(), places.pop(), places.pop());
        drop(places);
        assert!(third.as_ref().unwrap().is_first());
        assert_eq!(
            third.as_ref().unwrap().inherit(),
            [rest("first"), rest("second")]
        );
        drop(third);
        assert_eq!(fourth.as_ref().unwrap().inherit(), [rest("third")]);
        drop(fourth);
        assert!(last.unwrap().is_first());
    }
}
