//! What stands between a replica and what it shares: the centre's own cells, a centre that messages reach, or parameter servers. Also of
//! virtual replicas, whose exchanges are counted and may be late.
//!
//! Cells are lent where both ends are in one process: nothing is copied then. Messages take the same exchange to another process, and give the
//! same bits. Virtual replicas go by them where messages take time.
use super::Exchanges;
use crate::{
    params::Side,
    servers::{Client, Member},
};
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
    fn send(&mut self, examples: u64, rate: f32, _exchanges: &mut Exchanges) -> Result<bool> {
        self.exchange(examples, rate).map(|()| false)
    }
    /// What was sent arrives.
    fn arrive(&mut self, _exchanges: &mut Exchanges) -> Result<()> {
        Ok(())
    }
    /// As [`end`](Self::end) of a virtual replica, when all that was sent has arrived.
    fn settle(&mut self, _rate: f32, _exchanges: &mut Exchanges) -> Result<()> {
        Ok(())
    }
}

/// The centre's own cells, lent to the replica.
impl Link for Side<'_> {
    fn sections(&self) -> usize {
        Side::sections(self)
    }

    fn exchange_section(&mut self, section: usize) {
        Side::exchange_section(self, section);
    }

    fn begin(&mut self) -> Result<()> {
        self.take_over();
        Ok(())
    }

    fn exchange(&mut self, _examples: u64, _rate: f32) -> Result<()> {
        Side::exchange(self);
        Ok(())
    }

    fn end(&mut self, examples: u64, rate: f32) -> Result<()> {
        Link::exchange(self, examples, rate)
    }

    fn send(&mut self, _examples: u64, _rate: f32, exchanges: &mut Exchanges) -> Result<bool> {
        let [slots, numbers] = self.changed();
        let began = Instant::now();
        Side::exchange(self);
        let seconds = began.elapsed().as_secs_f64();
        // A number for each slot's number, and for each of its own.
        let bytes = (slots + numbers) * size_of::<f32>() as u64;
        *exchanges = *exchanges + Exchanges { count: 1, slots, numbers, bytes, seconds, ..Exchanges::default() };
        Ok(false)
    }
}

/// A centre that messages reach. A virtual replica goes on while they are under way.
pub(super) struct Distant<'r>(pub Member<'r>);

impl Link for Distant<'_> {
    fn sections(&self) -> usize {
        0
    }

    fn exchange_section(&mut self, _section: usize) {}

    fn begin(&mut self) -> Result<()> {
        self.0.begin()
    }

    fn exchange(&mut self, _examples: u64, _rate: f32) -> Result<()> {
        self.0.exchange().map(|_| ())
    }

    /// Without examples there is nothing to tell: they were exchanged.
    fn end(&mut self, examples: u64, rate: f32) -> Result<()> {
        if examples > 0 { self.exchange(examples, rate) } else { Ok(()) }
    }

    fn send(&mut self, _examples: u64, _rate: f32, exchanges: &mut Exchanges) -> Result<bool> {
        let began = Instant::now();
        let sent = self.0.send()?;
        exchanges.seconds += began.elapsed().as_secs_f64();
        if let Some([slots, numbers, bytes]) = sent {
            *exchanges = *exchanges + Exchanges { count: 1, slots, numbers, bytes, ..Exchanges::default() };
        }
        Ok(sent.is_some())
    }

    fn arrive(&mut self, exchanges: &mut Exchanges) -> Result<()> {
        let began = Instant::now();
        self.0.arrive()?;
        exchanges.seconds += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// What was learnt while the last message was under way is passed, too.
    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges) -> Result<()> {
        if self.send(0, rate, exchanges)? {
            self.arrive(exchanges)?;
            let began = Instant::now();
            self.0.receive()?;
            exchanges.seconds += began.elapsed().as_secs_f64();
        }
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
        timed(self, exchanges, |client| client.advance(examples, rate)).map(|()| false)
    }

    fn settle(&mut self, rate: f32, exchanges: &mut Exchanges) -> Result<()> {
        timed(self, exchanges, |client| client.finish(0, rate))
    }
}

/// Has a client push and fetch, and counts what it pushes and how long it takes.
fn timed(client: &mut Client<'_>, exchanges: &mut Exchanges, work: impl FnOnce(&mut Client<'_>) -> Result<()>) -> Result<()> {
    let began = Instant::now();
    let done = work(client);
    let [count, slots, numbers, bytes] = client.take_pushed();
    let seconds = began.elapsed().as_secs_f64();
    *exchanges = *exchanges + Exchanges { count, slots, numbers, bytes, seconds, ..Exchanges::default() };
    done
}
