//! A replica's end: what its gradients have come to goes to the servers, what has changed there comes back.
use super::{
    WAIT,
    carrier::{Carrier, Ticket},
    requests::{self, Answer},
};
use crate::{
    params::{Move, Owned, Parameters},
    simd::InstructionSet,
    wire,
};
use hogwild_base::Result;
use std::{collections::VecDeque, time::Duration};

/// Requests under way at once, at most: with more, answers would wait until they have left the near cache.
const UNDER_WAY: usize = 8;

/// How many examples lie between two pushes of a replica, and between two fetches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Periods {
    pub push: u64,
    pub fetch: u64,
}

pub(crate) struct Client<'r> {
    set: InstructionSet,
    carrier: Box<dyn Carrier + 'r>,
    /// The replica's own, with room for sums of gradients.
    parameters: &'r Parameters,
    periods: Periods,
    /// Examples since the last push, and since the last fetch.
    since: Periods,
    /// By server: the first push whose outcome was not fetched yet.
    unseen: Vec<u32>,
    /// Pushes with their slots, numbers and bytes, since somebody took these counts.
    pushed: [u64; 4],
    /// Buffers of messages that are not in use.
    spare: Vec<Vec<u8>>,
}

impl<'r> Client<'r> {
    /// `servers`: how many there are.
    pub fn new(
        set: InstructionSet,
        carrier: Box<dyn Carrier + 'r>,
        servers: usize,
        parameters: &'r Parameters,
        periods: Periods,
    ) -> Client<'r> {
        let since = Periods { push: 0, fetch: 0 };
        Client { set, carrier, parameters, periods, since, unseen: vec![0; servers], pushed: [0; 4], spare: Vec::new() }
    }

    /// After so many more examples: pushes and fetches what is due. `rate`: the learning rate of now.
    ///
    /// # Errors
    /// When a server does not answer, or not as it should; as of all below.
    pub fn advance(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.since.push += examples;
        self.since.fetch += examples;
        let (pushes, fetches) = (self.since.push >= self.periods.push, self.since.fetch >= self.periods.fetch);
        if pushes || fetches { self.pass(pushes.then_some(rate), fetches) } else { Ok(()) }
    }

    /// After the last examples of an epoch: pushes all that is left.
    pub fn finish(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.since.push += examples;
        if self.since.push == 0 {
            return Ok(());
        }
        self.pass(Some(rate), false)
    }

    /// Takes the counts of pushes, of their slots, numbers and bytes.
    pub fn take_pushed(&mut self) -> [u64; 4] {
        std::mem::take(&mut self.pushed)
    }

    /// Fetches what has changed since the last time; the first time, all.
    pub fn fetch(&mut self) -> Result<()> {
        self.pass(None, true)
    }

    /// Pushes at a rate, fetches, or does both. After an error, which ends the run, nothing more is asked or waited for: of what was asked is
    /// done what needs no waiting. Gives the first error.
    fn pass(&mut self, push: Option<f32>, fetches: bool) -> Result<()> {
        let examples = if push.is_some() { std::mem::take(&mut self.since.push) } else { 0 };
        if fetches {
            self.since.fetch = 0;
        }
        self.pushed[0] += push.is_some() as u64;
        let mut under_way = VecDeque::new();
        let mut done = self.ask_all(push.map(|rate| (rate, examples)), fetches, &mut under_way);
        for sent in under_way {
            let within = if done.is_ok() { WAIT } else { Duration::ZERO };
            done = done.and(self.take_answer(sent, within));
        }
        done
    }

    /// Asks server after server, so that what passes is still in the near cache when it is used. Some are `under_way` at once, the last of
    /// them still at the end. `push`: a rate, and how many examples there were.
    fn ask_all(&mut self, push: Option<(f32, u64)>, fetches: bool, under_way: &mut VecDeque<(usize, Ticket)>) -> Result<()> {
        let of = self.unseen.len();
        // Each begins with another server, so that those who push at once seldom wait.
        let first = self.carrier.rank() * of / self.carrier.size();
        for server in (0..of).map(|i| (first + i) % of) {
            if let Some((rate, examples)) = push {
                under_way.push_back((server, self.send_push(server, rate, examples)?));
            }
            if fetches {
                under_way.push_back((server, self.send_fetch(server)?));
            }
            while under_way.len() > UNDER_WAY
                && let Some(sent) = under_way.pop_front()
            {
                self.take_answer(sent, WAIT)?;
            }
        }
        Ok(())
    }

    /// Asks a server to step by what its slots have come to. Also where that is nothing: all servers count the same pushes, as a rule's steps.
    fn send_push(&mut self, server: usize, rate: f32, examples: u64) -> Result<Ticket> {
        let (owned, mut message, mut sum) = (Owned { server, of: self.unseen.len() }, self.spare.pop().unwrap_or_default(), [0; 2]);
        requests::push(&mut message, rate, examples);
        for table in self.parameters.tables() {
            let [slots, numbers] = Move::Take(owned, &mut message).run(self.set, table);
            sum = [sum[0] + slots, sum[1] + numbers];
        }
        wire::end(&mut message);
        let [pushes, slots, numbers, bytes] = self.pushed;
        self.pushed = [pushes, slots + sum[0], numbers + sum[1], bytes + message.len() as u64];
        self.carrier.ask(server, message)
    }

    fn send_fetch(&mut self, server: usize) -> Result<Ticket> {
        let mut message = self.spare.pop().unwrap_or_default();
        requests::fetch(&mut message, self.unseen[server]);
        self.carrier.ask(server, message)
    }

    fn take_answer(&mut self, (server, ticket): (usize, Ticket), within: Duration) -> Result<()> {
        let message = self.carrier.answer(&ticket, within)?;
        let owned = Owned { server, of: self.unseen.len() };
        if let Answer::Changed { now, sections } = requests::answer(&message, self.parameters, owned)? {
            self.unseen[server] = now.saturating_add(1); // it makes fewer pushes than that
            for (table, section) in self.parameters.tables().zip(&sections) {
                Move::Put(section).run(self.set, table);
            }
        }
        self.spare.push(message);
        Ok(())
    }
}
