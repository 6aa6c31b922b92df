//! What stands between a replica and what it shares: the centre's own cells, or parameter servers. Also of virtual replicas, whose
//! exchanges are counted and may be late.
use super::{Exchanges, clocked::Post};
use crate::{params::Side, servers::Client};
use std::time::Instant;

/// A replica's way to exchange.
pub(super) trait Link: Send {
    /// In how many sections its changes pass, each by one replica at a time; 0: all replicas may exchange at any time.
    fn sections(&self) -> usize;
    /// Passes the changes of one section, as [`exchange`](Self::exchange) does of all.
    fn exchange_section(&mut self, section: usize);
    /// An epoch begins: what others have done by now is taken over.
    fn begin(&mut self);
    /// A round of so many examples is over; the learning rate is this.
    fn exchange(&mut self, examples: u64, rate: f32);
    /// The replica's part of the epoch is over.
    fn end(&mut self, rate: f32);

    /// As [`exchange`](Self::exchange) of a virtual replica, whose exchanges are counted; or, where messages take time, its changes are sent
    /// and `true` is given.
    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> bool;
    /// What was sent arrives.
    fn arrive(&mut self, _exchanges: &mut Exchanges) {}
    /// As [`end`](Self::end) of a virtual replica, when all that was sent has arrived.
    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges);
}

/// The centre's cells, with what a virtual replica has beside its side of them.
pub(super) struct Centre<'r> {
    pub side: Side<'r>,
    pub post: Option<Post<'r>>,
}

impl Link for Centre<'_> {
    fn sections(&self) -> usize {
        self.side.sections()
    }

    fn exchange_section(&mut self, section: usize) {
        self.side.exchange_section(section);
    }

    fn begin(&mut self) {
        let joins = self.side.take_over();
        self.post.iter_mut().for_each(|post| post.take_over(joins));
    }

    fn exchange(&mut self, _examples: u64, _rate: f32) {
        self.side.exchange();
    }

    /// All has passed after the last round.
    fn end(&mut self, _rate: f32) {}

    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> bool {
        match &mut self.post {
            Some(post) => post.send(exchanges, &mut self.side),
            None => {
                self.exchange(examples, rate);
                false
            }
        }
    }

    fn arrive(&mut self, exchanges: &mut Exchanges) {
        self.post.iter_mut().for_each(|post| post.arrive(exchanges, &mut self.side));
    }

    fn settle(&mut self, _rate: f32, exchanges: &mut Exchanges) {
        self.post.iter_mut().for_each(|post| post.settle(exchanges, &mut self.side));
    }
}

impl Link for Client<'_> {
    fn sections(&self) -> usize {
        0
    }

    fn exchange_section(&mut self, _section: usize) {}

    fn begin(&mut self) {
        self.fetch();
    }

    fn exchange(&mut self, examples: u64, rate: f32) {
        self.advance(examples, rate);
    }

    fn end(&mut self, rate: f32) {
        self.push(rate);
    }

    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> bool {
        counted(self, exchanges, |client| client.advance(examples, rate));
        false
    }

    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges) {
        counted(self, exchanges, |client| client.push(rate));
    }
}

/// Has a client push and fetch, and counts what it pushes and how long it takes.
fn counted(client: &mut Client<'_>, exchanges: &mut Exchanges, work: impl FnOnce(&mut Client<'_>)) {
    let began = Instant::now();
    work(client);
    let [pushes, slots, numbers] = client.take_pushed();
    let seconds = began.elapsed().as_secs_f64();
    *exchanges = *exchanges + Exchanges { count: pushes, slots, numbers, seconds, ..Exchanges::default() };
}
