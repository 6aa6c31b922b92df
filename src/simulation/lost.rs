//! Which updates are lost to steps that overlap.
//!
//! The model: an example's steps take the second half of its time, block after block. A block of sixteen slots is read when its part of
//! that time begins and stored when it ends. (Where the step uses what the score has read, it is read when the example begins.) What
//! another worker has stored between is overwritten. As in `bench`, each update counts 1 on top of what it has read: what a slot is short
//! of in the end was lost. Private slots lose nothing here; that two exchanges of one line overlap is left out.
use hogwild_kernels::engine::{Costs, Placement, Trace};

/// Shares of updates, from 0 to 1.
pub(super) struct Lost {
    pub all: f64,
    /// Of the slot that has most updates.
    pub hottest: f64,
}

/// A block that is read, or stored.
type Happens = (u64, u32, u32, bool);

pub(super) fn of(trace: &Trace, costs: &Costs, placement: &Placement) -> Lost {
    let mut happens: Vec<Happens> = Vec::new();
    for (number, visit) in trace.visits.iter().enumerate().filter(|(_, visit)| visit.stepped != Trace::NEVER) {
        let blocks = (visit.count as usize).div_ceil(placement.together) as u64;
        let half = costs.of(visit.worker as usize, visit.count as f64) / 2;
        for block in 0..blocks {
            let before_end = |blocks_left: u64| visit.stepped.saturating_sub(half * blocks_left / blocks);
            let read = if placement.reuses { visit.read } else { before_end(blocks - block) };
            happens.push((read, number as u32, block as u32, false));
            happens.push((before_end(blocks - block - 1).max(read), number as u32, block as u32, true));
        }
    }
    happens.sort_unstable();
    let slots = trace.slots.iter().max().map_or(0, |&slot| slot as usize + 1);
    let (mut counts, mut updates, mut read) = (vec![0u32; slots], vec![0u32; slots], vec![0u32; trace.slots.len()]);
    for (_, visit, block, is_stored) in happens {
        let visit = &trace.visits[visit as usize];
        let first = block as usize * placement.together;
        let here = first..(first + placement.together).min(visit.count as usize);
        let (slots, read) = (&trace.slots_of(visit)[here.clone()], &mut read[visit.first as usize..][here]);
        for (&slot, read) in slots.iter().zip(read) {
            let (slot, private) = (slot as usize, (slot as usize) < placement.held);
            if is_stored {
                updates[slot] += 1;
                counts[slot] = if private { counts[slot] } else { *read } + 1;
            } else {
                *read = counts[slot];
            }
        }
    }
    let share = |slots: &mut dyn Iterator<Item = usize>| {
        let (kept, all) = slots.fold((0, 0), |(kept, all), slot| (kept + counts[slot] as u64, all + updates[slot] as u64));
        if all == 0 { 0.0 } else { 1.0 - kept as f64 / all as f64 }
    };
    let hottest = (0..slots).max_by_key(|&slot| (updates[slot], std::cmp::Reverse(slot)));
    Lost { all: share(&mut (0..slots)), hottest: share(&mut hottest.into_iter()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwild_kernels::engine::Simulation;

    const PLACED: Placement = Placement { held: 0, a_line: 8, lines: 1, reuses: false, together: 16 };
    /// Of the clock, for a number.
    const UNIT: u64 = 1024;

    fn lost(visits: &[(usize, u64, u64, &[u32])], placement: Placement) -> [f64; 2] {
        let mut trace = Trace::default();
        for &(worker, read, stepped, slots) in visits {
            let visit = trace.begin(worker, read * UNIT, slots);
            trace.end(visit, stepped * UNIT);
        }
        let lost = of(&trace, Simulation::new(2, 0.0, 0.0, 4.0, 1).costs(), &placement);
        [lost.all, lost.hottest]
    }

    #[test]
    fn overlapping_steps_lose_one_of_two() {
        let slots: &[u32] = &[0, 1, 2, 3];
        // Both are read at 2 and stored at 4; the second a little later.
        assert_eq!(lost(&[(0, 0, 4, slots), (1, 0, 4, slots)], PLACED), [0.5, 0.5]);
        assert_eq!(lost(&[(0, 0, 4, slots), (1, 1, 5, slots)], PLACED), [0.5, 0.5]);
        // The second is read when the first has been stored.
        assert_eq!(lost(&[(0, 0, 4, slots), (1, 3, 7, slots)], PLACED), [0.0, 0.0]);
        // One slot of four is the same.
        assert_eq!(lost(&[(0, 0, 4, slots), (1, 1, 5, &[9, 0, 8, 7])], PLACED), [0.125, 0.5]);
    }

    #[test]
    fn what_serves_again_loses_more_and_private_slots_nothing() {
        let (a, b): (&[u32], &[u32]) = (&[0, 1, 2, 3], &[0, 1, 2, 3]);
        let visits = [(0, 0, 4, a), (1, 3, 7, b)];
        assert_eq!(lost(&visits, Placement { reuses: true, ..PLACED }), [0.5, 0.5]);
        assert_eq!(lost(&visits, Placement { reuses: true, held: 4, ..PLACED }), [0.0, 0.0]);
        assert_eq!(lost(&visits, Placement { reuses: true, held: 2, ..PLACED })[0], 0.25);
    }

    #[test]
    fn blocks_of_one_example_are_stored_one_after_the_other() {
        // Two blocks in the second half of 32 units: slot 0 is read at 16 and stored at 24, slot 16 at 24 and 32.
        let first: Vec<u32> = (0..32).collect();
        let at = |read: u64, slot: u32| lost(&[(0, 0, 32, &first), (1, read, read + 1, &[slot])], PLACED)[1];
        assert_eq!([at(19, 0), at(25, 0), at(19, 16), at(25, 16)], [0.5, 0.0, 0.0, 0.5]);
    }
}
