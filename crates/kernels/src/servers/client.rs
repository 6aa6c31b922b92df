//! A replica's end: what its gradients have come to goes to the servers, what has changed there comes back.
use super::{
    carrier::{Carrier, Ticket},
    requests::{self, Answer},
};
use crate::{
    params::{Move, Owned, Parameters},
    simd::InstructionSet,
    wire,
};
use hogwild_base::Result;
use std::time::Duration;

/// How long a server is waited for. In one process it is free as soon as whoever has it is done: more than a minute is a fault.
const WAIT: Duration = Duration::from_secs(60);

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
        if self.since.push >= self.periods.push {
            self.push(rate)?;
        }
        if self.since.fetch >= self.periods.fetch {
            self.fetch()?;
        }
        Ok(())
    }

    /// After the last examples of an epoch: pushes all that is left.
    pub fn finish(&mut self, examples: u64, rate: f32) -> Result<()> {
        self.since.push += examples;
        if self.since.push == 0 {
            return Ok(());
        }
        self.push(rate)
    }

    fn push(&mut self, rate: f32) -> Result<()> {
        let examples = std::mem::take(&mut self.since.push);
        let before = self.pushed[1];
        let (of, mut sent) = (self.unseen.len(), Vec::new());
        for server in 0..of {
            let mut message = self.spare.pop().unwrap_or_default();
            requests::push(&mut message, rate, examples);
            let mut sum = [0; 2];
            for table in self.parameters.tables() {
                let [slots, numbers] = Move::Take(Owned { server, of }, &mut message).run(self.set, table);
                sum = [sum[0] + slots, sum[1] + numbers];
            }
            wire::end(&mut message);
            if sum[0] == 0 {
                self.spare.push(message);
                continue;
            }
            self.pushed = [self.pushed[0], self.pushed[1] + sum[0], self.pushed[2] + sum[1], self.pushed[3] + message.len() as u64];
            sent.push((server, self.carrier.ask(server, message)?));
        }
        self.pushed[0] += (self.pushed[1] > before) as u64;
        self.take_answers(sent)
    }

    /// Takes the counts of pushes, of their slots, numbers and bytes.
    pub fn take_pushed(&mut self) -> [u64; 4] {
        std::mem::take(&mut self.pushed)
    }

    /// Fetches what has changed since the last time; the first time, all.
    pub fn fetch(&mut self) -> Result<()> {
        self.since.fetch = 0;
        let mut sent = Vec::new();
        for (server, &from) in self.unseen.iter().enumerate() {
            let mut message = self.spare.pop().unwrap_or_default();
            requests::fetch(&mut message, from);
            sent.push((server, self.carrier.ask(server, message)?));
        }
        self.take_answers(sent)
    }

    /// Takes all answers, so that each request is done; gives the first error.
    fn take_answers(&mut self, sent: Vec<(usize, Ticket)>) -> Result<()> {
        let taken: Vec<Result<()>> = sent.into_iter().map(|sent| self.take_answer(sent)).collect();
        taken.into_iter().collect()
    }

    fn take_answer(&mut self, (server, ticket): (usize, Ticket)) -> Result<()> {
        let message = self.carrier.answer(&ticket, WAIT)?;
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
