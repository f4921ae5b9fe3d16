//! A set of sequence numbers that is nearly contiguous, so that it stays small however long a session lives.

use std::ops::RangeInclusive;

/// Sequence numbers as a sorted list of runs.
#[derive(Debug, Default)]
pub(crate) struct SequenceSet {
    /// Sorted, disjoint, with a gap of at least one number between two of them.
    runs: Vec<RangeInclusive<i64>>,
}

impl SequenceSet {
    /// More runs than this only a hostile peer makes: two ends that keep order have one run, and one more
    /// for each loss. The oldest is forgotten, which costs at most a message that is sent twice.
    const RUNS_MAX: usize = 256;

    /// Whether `number` is in the set.
    pub(crate) fn contains(&self, number: i64) -> bool {
        let after = self.runs.partition_point(|run| *run.start() <= number);
        after.checked_sub(1).is_some_and(|before| self.runs[before].contains(&number))
    }

    /// The first number that is missing, if all before it have been seen from the beginning on.
    pub(crate) fn first_missing(&self) -> Option<i64> {
        let first = self.runs.first().filter(|run| *run.start() == 0)?;
        Some(first.end().saturating_add(1))
    }

    /// Adds `number` and all before it, from 0 on.
    pub(crate) fn insert_through(&mut self, number: i64) {
        let joined = self.runs.partition_point(|run| *run.start() <= number.saturating_add(1));
        let end = self.runs.drain(..joined).next_back().map_or(number, |run| number.max(*run.end()));
        self.runs.insert(0, 0..=end);
    }

    /// Adds `number`.
    pub(crate) fn insert(&mut self, number: i64) {
        let after = self.runs.partition_point(|run| *run.start() <= number);
        let joins_before = after.checked_sub(1).filter(|&before| *self.runs[before].end() >= number - 1);
        let joins_after = self.runs.get(after).is_some_and(|run| *run.start() == number.saturating_add(1));
        match (joins_before, joins_after) {
            (Some(before), true) => {
                let next = self.runs.remove(after);
                self.runs[before] = *self.runs[before].start()..=*next.end();
            }
            (Some(before), false) => {
                let run = &self.runs[before];
                self.runs[before] = *run.start()..=number.max(*run.end());
            }
            (None, true) => self.runs[after] = number..=*self.runs[after].end(),
            (None, false) => self.runs.insert(after, number..=number),
        }
        if self.runs.len() > Self::RUNS_MAX {
            self.runs.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_is_one_entry() {
        let mut set = SequenceSet::default();
        (0..10_000).for_each(|number| set.insert(number));
        assert_eq!(set.runs.len(), 1);
        assert!(set.contains(0) && set.contains(9_999) && !set.contains(10_000) && !set.contains(-1));
        assert_eq!(set.first_missing(), Some(10_000));
    }

    #[test]
    fn a_hostile_pattern_stays_bounded() {
        let mut set = SequenceSet::default();
        (0..10_000).for_each(|number| set.insert(number * 2));
        assert_eq!(set.runs.len(), SequenceSet::RUNS_MAX);
        assert!(set.contains(19_998));
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_set(
            before in proptest::collection::vec(0i64..200, 0..100),
            through in proptest::option::of(0i64..200),
            after in proptest::collection::vec(0i64..200, 0..200),
        ) {
            let mut set = SequenceSet::default();
            let mut model: BTreeSet<i64> = before.iter().chain(&after).copied().collect();
            before.iter().for_each(|&number| set.insert(number));
            if let Some(through) = through {
                set.insert_through(through);
                model.extend(0..=through);
            }
            after.iter().for_each(|&number| set.insert(number));
            for number in -1..201 {
                prop_assert_eq!(set.contains(number), model.contains(&number));
            }
        }
    }
}
