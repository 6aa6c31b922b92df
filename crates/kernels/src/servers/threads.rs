//! The carrier of one process: replicas are threads, and whoever asks a shard has it work on the asker's own thread.
//!
//! So no thread waits for another one's turn to run, and nothing is copied: a request is read where its sender has written it. Waiting goes
//! by slices. A process that was stopped for an hour has so waited for one slice, and nobody is missing when it goes on.
use super::carrier::{Carrier, Shard, Ticket};
use hogwild_base::{Error, Result};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a wait lasts until somebody looks again.
const SLICE: Duration = Duration::from_millis(20);

/// A replica's end. When it is dropped the others are told that it has ended.
pub struct Threads<S> {
    rank: usize,
    all: Arc<All<S>>,
    /// Requests in the order in which they were asked, each with its shard: those that wait, and answers that were not asked for yet.
    asked: VecDeque<(u64, usize, State)>,
    /// The number of the next request, and of the next round with all.
    next: u64,
    round: u64,
    /// A buffer that is not in use.
    spare: Vec<u8>,
}

enum State {
    Waits(Vec<u8>),
    Answered(Result<Vec<u8>>),
}

/// What all replicas share.
struct All<S> {
    desks: Vec<Desk<S>>,
    boxes: Watched<Boxes>,
}

/// A shard with who has it.
struct Desk<S> {
    shard: Watched<Held<S>>,
}

struct Held<S> {
    /// Not there while somebody has it work.
    shard: Option<S>,
    by: usize,
}

/// Messages between replicas.
struct Boxes {
    /// To each, from each, by round.
    letters: Vec<Vec<VecDeque<Letter>>>,
    gone: Vec<bool>,
}

/// A round with its message.
type Letter = (u64, Vec<u8>);

/// Something that others wait for.
struct Watched<T> {
    lock: Mutex<T>,
    changed: Condvar,
}

impl<T> Watched<T> {
    fn new(what: T) -> Self {
        Watched { lock: Mutex::new(what), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something, or the time is over.
    fn wait<R>(&self, within: Duration, mut look: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let (mut held, mut left) = (self.lock(), within);
        loop {
            if let Some(found) = look(&mut held) {
                return Some(found);
            }
            if left.is_zero() {
                return None;
            }
            let slice = left.min(SLICE);
            let (again, over) = self.changed.wait_timeout(held, slice).unwrap_or_else(PoisonError::into_inner);
            held = again;
            // Woken for somebody else's sake: a part of the slice, which is not counted, as it ends some time.
            left = left.saturating_sub(if over.timed_out() { slice } else { Duration::from_micros(1) });
        }
    }
}

impl<S: Shard> Threads<S> {
    /// The carriers of so many replicas, by number, to those shards.
    pub fn group(size: usize, shards: Vec<S>) -> Vec<Threads<S>> {
        let desk = |shard| Desk { shard: Watched::new(Held { shard: Some(shard), by: 0 }) };
        let letters = (0..size).map(|_| (0..size).map(|_| VecDeque::new()).collect()).collect();
        let boxes = Watched::new(Boxes { letters, gone: vec![false; size] });
        let all = Arc::new(All { desks: shards.into_iter().map(desk).collect(), boxes });
        let one = |rank| Threads { rank, all: Arc::clone(&all), asked: VecDeque::new(), next: 0, round: 0, spare: Vec::new() };
        (0..size).map(one).collect()
    }

    /// Has a shard do the requests that wait for it, up to number `last`, as far as it is free within the time; whether all are done.
    fn work(&mut self, shard: usize, last: u64, within: Duration) -> bool {
        let waits = |asked: &(u64, usize, State)| asked.1 == shard && asked.0 <= last && matches!(asked.2, State::Waits(_));
        if !self.asked.iter().any(waits) {
            return true;
        }
        let desk = &self.all.desks[shard];
        let rank = self.rank;
        let taken = desk.shard.wait(within, |held| {
            let shard = held.shard.take()?;
            held.by = rank;
            Some(shard)
        });
        let Some(mut worker) = taken else { return false };
        for (_, _, state) in self.asked.iter_mut().filter(|asked| waits(asked)) {
            if let State::Waits(request) = state {
                let (request, mut answer) = (std::mem::take(request), std::mem::take(&mut self.spare));
                *state = State::Answered(worker.handle(&request, &mut answer).map(|()| answer));
                self.spare = request;
            }
        }
        desk.shard.lock().shard = Some(worker);
        desk.shard.changed.notify_all();
        true
    }
}

fn missing(who: String, what: String) -> Error {
    Error::Missing { who, what }
}

impl<S: Shard> Carrier for Threads<S> {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.all.boxes.lock().gone.len()
    }

    fn all_to_all(&mut self, parts: Vec<Vec<u8>>, within: Duration) -> Result<Vec<Vec<u8>>> {
        let (rank, round, size, boxes) = (self.rank, self.round, self.size(), &self.all.boxes);
        assert_eq!(parts.len(), size, "a part for each replica");
        self.round += 1;
        let mut held = boxes.lock();
        for (letters, part) in held.letters.iter_mut().zip(parts) {
            letters[rank].push_back((round, part));
        }
        drop(held);
        boxes.changed.notify_all();
        let late = |held: &Boxes, from: usize| held.letters[rank][from].iter().all(|letter| letter.0 != round);
        let _ = boxes.wait(within, |held| {
            // Of rounds that were given up some letters came too late.
            held.letters[rank].iter_mut().for_each(|letters| letters.retain(|letter| letter.0 >= round));
            let all_here = (0..size).all(|from| !late(held, from));
            let someone_gone = (0..size).any(|from| held.gone[from] && late(held, from));
            (all_here || someone_gone).then_some(())
        });
        let mut held = boxes.lock();
        let names = |of: &dyn Fn(usize) -> bool| (0..size).filter(|&from| of(from)).map(|from| from.to_string()).collect::<Vec<_>>();
        let gone = names(&|from| late(&held, from) && held.gone[from]);
        if !gone.is_empty() {
            return Err(missing(format!("replica {} of {size}", gone.join(", ")), format!("has ended without round {round}")));
        }
        // What came at the last moment has come.
        let late = names(&|from| late(&held, from));
        if !late.is_empty() {
            let who = format!("replica {} of {size}", late.join(", "));
            return Err(missing(who, format!("has not come to round {round} within {within:?}")));
        }
        // Each has one letter of this round, the first.
        Ok(held.letters[rank].iter_mut().map(|letters| letters.pop_front().map_or_else(Vec::new, |letter| letter.1)).collect())
    }

    fn ask(&mut self, shard: usize, request: Vec<u8>) -> Result<Ticket> {
        if shard >= self.all.desks.len() {
            let what = format!("does not exist: there are {}", self.all.desks.len());
            return Err(missing(format!("server {shard}"), what));
        }
        let number = self.next;
        self.next += 1;
        self.asked.push_back((number, shard, State::Waits(request)));
        self.work(shard, number, Duration::ZERO);
        Ok(Ticket(number))
    }

    fn answer(&mut self, ticket: &Ticket, within: Duration) -> Result<Vec<u8>> {
        let Some(at) = self.asked.iter().position(|asked| asked.0 == ticket.0) else {
            let problem = format!("is asked for by ticket {}, which was answered before or is another replica's", ticket.0);
            return Err(Error::BadMessage { bytes: 0, problem });
        };
        let shard = self.asked[at].1;
        if !self.work(shard, ticket.0, within) {
            let (of, by) = (self.all.desks.len(), self.all.desks[shard].shard.lock().by);
            return Err(missing(format!("server {shard} of {of}"), format!("has not answered within {within:?}: replica {by} has it")));
        }
        match self.asked.remove(at) {
            Some((_, _, State::Answered(answer))) => answer,
            _ => Err(Error::BadMessage { bytes: 0, problem: format!("of ticket {} was not handled", ticket.0) }),
        }
    }
}

impl<S> Drop for Threads<S> {
    fn drop(&mut self) {
        self.all.boxes.lock().gone[self.rank] = true;
        self.all.boxes.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    /// Appends what comes to a log, and answers with its length; or takes its time.
    struct Log(Vec<u8>, Option<Arc<Mutex<()>>>);

    impl Shard for Log {
        fn handle(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
            let _stuck = self.1.as_ref().map(|stuck| stuck.lock());
            if request == b"bad" {
                return Err(Error::BadMessage { bytes: 3, problem: "is bad".into() });
            }
            self.0.extend_from_slice(request);
            answer.clear();
            answer.extend_from_slice(&(self.0.len() as u32).to_le_bytes());
            Ok(())
        }
    }

    fn group(size: usize, shards: usize) -> Vec<Threads<Log>> {
        Threads::group(size, (0..shards).map(|_| Log(Vec::new(), None)).collect())
    }

    proptest! {
        /// Parts of any length, empty ones too: what each sends to each arrives, round by round, whoever is faster.
        #[test]
        fn all_to_all_brings_each_part_once(size in 1usize..5, rounds in 1usize..6, seed: u8) {
            let part = |from: usize, to: usize, round: usize| vec![seed; (7 * from + 3 * to + 5 * round) % 11 * (round % 3)];
            thread::scope(|scope| {
                for (from, mut carrier) in group(size, 0).into_iter().enumerate() {
                    scope.spawn(move || {
                        for round in 0..rounds {
                            let came = carrier.all_to_all((0..size).map(|to| part(from, to, round)).collect(), LONG).unwrap();
                            assert!(came.iter().enumerate().all(|(other, came)| *came == part(other, from, round)));
                        }
                    });
                }
            });
        }

        /// Requests of several replicas to several shards: each is done once, and each answer is to its own request.
        #[test]
        fn each_request_is_done_once(size in 1usize..4, shards in 1usize..4, lengths in prop::collection::vec(0usize..50, 1..20)) {
            let carriers = group(size, shards);
            let all = Arc::clone(&carriers[0].all);
            thread::scope(|scope| {
                for mut carrier in carriers {
                    let lengths = &lengths;
                    scope.spawn(move || {
                        // All are under way at once; answers are asked for from the last one on.
                        let tickets: Vec<Ticket> =
                            lengths.iter().enumerate().map(|(i, &n)| carrier.ask(i % shards, vec![carrier.rank() as u8; n]).unwrap()).collect();
                        for ticket in tickets.iter().rev() {
                            assert_eq!(carrier.answer(ticket, LONG).unwrap().len(), 4);
                            assert!(carrier.answer(ticket, LONG).unwrap_err().to_string().contains("answered before"));
                        }
                    });
                }
            });
            for (shard, desk) in all.desks.iter().enumerate() {
                let expected: usize = lengths.iter().skip(shard).step_by(shards).sum();
                let log = desk.shard.lock().shard.take().unwrap().0;
                for rank in 0..size {
                    prop_assert_eq!(log.iter().filter(|&&byte| byte as usize == rank).count(), expected);
                }
            }
        }
    }

    #[test]
    fn who_does_not_come_is_named_and_the_next_round_works() {
        let mut carriers = group(3, 0);
        let (mut c, mut b, mut a) = (carriers.pop().unwrap(), carriers.pop().unwrap(), carriers.pop().unwrap());
        let parts = |x: u8| vec![vec![x]; 3];
        let error = a.all_to_all(parts(1), SHORT).unwrap_err().to_string();
        assert!(error.contains("replica 1, 2 of 3 has not come to round 0 within 50ms"), "{error}");
        // The others find the letters of the first, which has gone on to the next round.
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(a.all_to_all(parts(2), LONG).unwrap(), [[2], [2], [2]]));
            for carrier in [&mut b, &mut c] {
                scope.spawn(move || {
                    assert_eq!(carrier.all_to_all(parts(1), LONG).unwrap(), [[1], [1], [1]]);
                    assert_eq!(carrier.all_to_all(parts(2), LONG).unwrap(), [[2], [2], [2]]);
                });
            }
        });
        drop(b);
        let error = a.all_to_all(parts(3), LONG).unwrap_err().to_string();
        assert!(error.contains("replica 1 of 3 has ended without round 2"), "{error}");
    }

    #[test]
    fn who_ends_early_has_its_last_letters_read() {
        let mut carriers = group(2, 0);
        let (mut b, mut a) = (carriers.pop().unwrap(), carriers.pop().unwrap());
        let _ = b.all_to_all(vec![b"to a".to_vec(), Vec::new()], Duration::ZERO).unwrap_err();
        drop(b);
        assert_eq!(a.all_to_all(vec![Vec::new(); 2], LONG).unwrap(), [b"".to_vec(), b"to a".to_vec()]);
    }

    #[test]
    fn a_server_that_does_not_answer_is_named_with_who_has_it() {
        let stuck = Arc::new(Mutex::new(()));
        let mut carriers = Threads::group(2, vec![Log(Vec::new(), Some(Arc::clone(&stuck)))]);
        let (mut b, mut a) = (carriers.pop().unwrap(), carriers.pop().unwrap());
        thread::scope(|scope| {
            let held = stuck.lock().unwrap();
            let all = Arc::clone(&a.all);
            let slow = scope.spawn(move || {
                let ticket = b.ask(0, b"slow".to_vec()).unwrap();
                b.answer(&ticket, LONG).unwrap()
            });
            while all.desks[0].shard.lock().shard.is_some() {
                thread::yield_now();
            }
            let ticket = a.ask(0, b"waits".to_vec()).unwrap();
            let error = a.answer(&ticket, SHORT).unwrap_err().to_string();
            assert!(error.contains("server 0 of 1 has not answered within 50ms: replica 1 has it"), "{error}");
            drop(held);
            // The request still stands.
            assert_eq!(a.answer(&ticket, LONG).unwrap(), 9u32.to_le_bytes());
            assert_eq!(slow.join().unwrap(), 4u32.to_le_bytes());
        });
        assert!(a.ask(1, Vec::new()).unwrap_err().to_string().contains("server 1 does not exist: there are 1"));
        let ticket = a.ask(0, b"bad".to_vec()).unwrap();
        assert!(a.answer(&ticket, LONG).unwrap_err().to_string().contains("is bad"));
    }
}
