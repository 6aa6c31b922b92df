//! A replica's end: what its gradients have come to goes to the servers, what has changed there comes back.
use super::{Answer, Carrier, Request};
use crate::{
    params::{Changes, Owned, Parameters},
    simd::InstructionSet,
};

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
    /// By server: the last push whose outcome was fetched.
    seen: Vec<u32>,
    /// Pushes with their slots and numbers, since somebody took these counts.
    pushed: [u64; 3],
}

impl<'r> Client<'r> {
    pub fn new(set: InstructionSet, carrier: Box<dyn Carrier + 'r>, parameters: &'r Parameters, periods: Periods) -> Client<'r> {
        let seen = vec![0; carrier.servers()];
        Client { set, carrier, parameters, periods, since: Periods { push: 0, fetch: 0 }, seen, pushed: [0; 3] }
    }

    /// After so many more examples: pushes and fetches what is due. `rate`: the learning rate of now.
    pub fn advance(&mut self, examples: u64, rate: f32) {
        self.since.push += examples;
        self.since.fetch += examples;
        if self.since.push >= self.periods.push {
            self.push(rate);
        }
        if self.since.fetch >= self.periods.fetch {
            self.fetch();
        }
    }

    /// Pushes all that is left.
    pub fn push(&mut self, rate: f32) {
        let examples = std::mem::take(&mut self.since.push);
        let before = self.pushed[1];
        for server in 0..self.carrier.servers() {
            let owned = Owned { server, of: self.carrier.servers() };
            let tables: Vec<Changes> = self.parameters.tables().map(|table| Changes::take(self.set, table, owned)).collect();
            let sum = |of: fn(&Changes) -> usize| tables.iter().map(of).sum::<usize>() as u64;
            let (slots, numbers) = (sum(|changes| changes.slots.len()), sum(|changes| changes.numbers.len()));
            if slots > 0 {
                self.pushed = [self.pushed[0], self.pushed[1] + slots, self.pushed[2] + numbers];
                self.carrier.ask(server, Request::Push { rate, examples, tables });
            }
        }
        self.pushed[0] += (self.pushed[1] > before) as u64;
    }

    /// Takes the counts of pushes, of their slots and of their numbers.
    pub fn take_pushed(&mut self) -> [u64; 3] {
        std::mem::take(&mut self.pushed)
    }

    /// Fetches what has changed since the last time.
    pub fn fetch(&mut self) {
        self.since.fetch = 0;
        for server in 0..self.carrier.servers() {
            if let Answer::Changed { now, tables } = self.carrier.ask(server, Request::Fetch { since: self.seen[server] }) {
                self.seen[server] = now;
                self.parameters.tables().zip(&tables).for_each(|(table, changes)| changes.put(table));
            }
        }
    }
}
