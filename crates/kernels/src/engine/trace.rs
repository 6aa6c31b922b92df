//! What is recorded of virtual workers on one shared copy: who visited which slots, in what order and when, of the first examples.
//!
//! Nothing is concluded here: what the records say of ages, lines and lost updates is found after the run, by whoever asks for them.

/// Slots that a trace holds at most: an epoch of imdb_1gram has 3.6 million.
const SAMPLE: usize = 1 << 22;

/// Who has visited which slots when.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// In the order in which they were read.
    pub visits: Vec<Visit>,
    /// What happened, in its order: the number of a visit, and whether its slots were stepped, or else read.
    pub events: Vec<(u32, bool)>,
    /// The slots of all visits.
    pub slots: Vec<u32>,
    /// Whether there were more than a trace holds.
    full: bool,
}

/// An example's visit by a worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Who.
    pub worker: u32,
    /// Where in the trace's slots its own begin, and how many they are.
    pub first: u32,
    /// How many slots it has.
    pub count: u32,
    /// When its slots were read for the score.
    pub read: u64,
    /// When they were stepped; [`Trace::NEVER`] where the run ended before.
    pub stepped: u64,
}

impl Trace {
    /// No time.
    pub const NEVER: u64 = u64::MAX;

    /// Records that a worker reads slots now; gives what `end` is to be told.
    pub fn begin(&mut self, worker: usize, now: u64, slots: &[u32]) -> Option<usize> {
        self.full |= self.slots.len() + slots.len() > SAMPLE;
        if self.full {
            return None;
        }
        let visit =
            Visit { worker: worker as u32, first: self.slots.len() as u32, count: slots.len() as u32, read: now, stepped: Trace::NEVER };
        self.slots.extend_from_slice(slots);
        self.events.push((self.visits.len() as u32, false));
        self.visits.push(visit);
        Some(self.visits.len() - 1)
    }

    /// Records that a visit's slots are stepped now.
    pub fn end(&mut self, visit: Option<usize>, now: u64) {
        if let Some((number, visit)) = visit.and_then(|number| Some((number, self.visits.get_mut(number)?))) {
            visit.stepped = now;
            self.events.push((number as u32, true));
        }
    }

    /// The slots of a visit.
    pub fn slots_of(&self, visit: &Visit) -> &[u32] {
        &self.slots[visit.first as usize..][..visit.count as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_ends_where_it_is_full() {
        let mut trace = Trace::default();
        let slots = vec![3; SAMPLE / 2 + 1];
        let first = trace.begin(0, 5, &slots);
        assert_eq!((first, trace.begin(1, 6, &slots), trace.begin(1, 7, &[1])), (Some(0), None, None));
        trace.end(None, 8);
        trace.end(first, 9);
        assert_eq!((trace.visits.len(), trace.visits[0].stepped, trace.slots_of(&trace.visits[0]).len()), (1, 9, slots.len()));
    }
}
