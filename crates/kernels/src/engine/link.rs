//! What stands between a replica and what it shares: the centre's own cells, or parameter servers. Also of virtual replicas, whose
//! exchanges are counted and may be late.
use super::{Exchanges, clocked::Post};
use crate::{params::Side, servers::Client};
use hogwild_base::Result;
use std::time::Instant;

/// A replica's way to exchange. What fails is a server that does not answer, or not as it should.
pub(super) trait Link: Send {
    /// In how many sections its changes pass, each by one replica at a time; 0: all replicas may exchange at any time.
    fn sections(&self) -> usize;
    /// Passes the changes of one section, as [`exchange`](Self::exchange) does of all.
    fn exchange_section(&mut self, section: usize);
    /// An epoch begins: what others have done by now is taken over.
    fn begin(&mut self) -> Result<()>;
    /// A round of so many examples is over; the learning rate is this.
    fn exchange(&mut self, examples: u64, rate: f32) -> Result<()>;
    /// The same of the last round of the replica's part of the epoch: nothing follows that would need what others have done.
    fn end(&mut self, examples: u64, rate: f32) -> Result<()>;

    /// As [`exchange`](Self::exchange) of a virtual replica, whose exchanges are counted; or, where messages take time, its changes are sent
    /// and `true` is given.
    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> Result<bool>;
    /// What was sent arrives.
    fn arrive(&mut self, _exchanges: &mut Exchanges) {}
    /// As [`end`](Self::end) of a virtual replica, when all that was sent has arrived.
    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges) -> Result<()>;
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

    fn begin(&mut self) -> Result<()> {
        let joins = self.side.take_over();
        self.post.iter_mut().for_each(|post| post.take_over(joins));
        Ok(())
    }

    fn exchange(&mut self, _examples: u64, _rate: f32) -> Result<()> {
        self.side.exchange();
        Ok(())
    }

    fn end(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.exchange(examples, rate)
    }

    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> Result<bool> {
        match &mut self.post {
            Some(post) => Ok(post.send(exchanges, &mut self.side)),
            None => self.exchange(examples, rate).map(|()| false),
        }
    }

    fn arrive(&mut self, exchanges: &mut Exchanges) {
        self.post.iter_mut().for_each(|post| post.arrive(exchanges, &mut self.side));
    }

    fn settle(&mut self, _rate: f32, exchanges: &mut Exchanges) -> Result<()> {
        self.post.iter_mut().for_each(|post| post.settle(exchanges, &mut self.side));
        Ok(())
    }
}

impl Link for Client<'_> {
    fn sections(&self) -> usize {
        0
    }

    fn exchange_section(&mut self, _section: usize) {}

    fn begin(&mut self) -> Result<()> {
        self.fetch()
    }

    fn exchange(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.advance(examples, rate)
    }

    fn end(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.finish(examples, rate)
    }

    fn send(&mut self, examples: u64, rate: f32, exchanges: &mut Exchanges) -> Result<bool> {
        counted(self, exchanges, |client| client.advance(examples, rate)).map(|()| false)
    }

    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges) -> Result<()> {
        counted(self, exchanges, |client| client.finish(0, rate))
    }
}

/// Has a client push and fetch, and counts what it pushes and how long it takes.
fn counted(client: &mut Client<'_>, exchanges: &mut Exchanges, work: impl FnOnce(&mut Client<'_>) -> Result<()>) -> Result<()> {
    let began = Instant::now();
    let done = work(client);
    let [count, slots, numbers, bytes] = client.take_pushed();
    let seconds = began.elapsed().as_secs_f64();
    *exchanges = *exchanges + Exchanges { count, slots, numbers, bytes, seconds, ..Exchanges::default() };
    done
}
