//! A parameter server: some of the slots of all tables. The rule steps them by what replicas push; replicas fetch what has changed.
use super::{
    ServerRule,
    message::{Fetched, Request},
};
use crate::{
    params::{Apply, Changes, Owned, Parameters},
    rules::{Clock, Erased, UpdateRule},
    simd::{InstructionSet, dispatch},
};

/// Bytes in, bytes out: a server does no input or output of its own.
pub(crate) struct Server<'r> {
    set: InstructionSet,
    rule: Erased<'r>,
    parameters: &'r Parameters,
    owned: Owned,
    /// By table, by slot that it owns: the push that changed it last; 0 for none.
    changed: Vec<Vec<u32>>,
    /// Pushes so far, and about how many there will be.
    pushes: u32,
    all_pushes: u64,
}

impl<'r> Server<'r> {
    pub fn new(set: InstructionSet, rule: &ServerRule<'r>, parameters: &'r Parameters, owned: Owned, all_pushes: u64) -> Server<'r> {
        let changed = parameters.tables().map(|table| vec![0; owned.slots(table.slots()).count()]).collect();
        Server { set, rule: rule.0, parameters, owned, changed, pushes: 0, all_pushes }
    }

    /// Answers a request; none where it is not one.
    pub fn handle(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let strides: Vec<usize> = self.parameters.strides().collect();
        match Request::read(request, &strides)? {
            Request::Push { rate, tables } => {
                let mine = |(table, slot): (usize, u32)| self.owned.has(slot) && (slot as usize) < self.parameters.table(table).slots();
                let all_mine = tables.iter().enumerate().all(|(table, changes)| changes.slots.iter().all(|&slot| mine((table, slot))));
                all_mine.then(|| self.push(rate, &tables)).map(|()| Vec::new())
            }
            Request::Fetch { since } => Some(self.fetch(since).bytes()),
        }
    }

    /// Rules count pushes as steps.
    fn push(&mut self, rate: f32, tables: &[Changes]) {
        self.pushes += 1;
        let clock = Clock { rate, step: self.pushes as u64, steps: self.all_pushes.max(self.pushes as u64) };
        let memory = Default::default();
        for (table, changes) in tables.iter().enumerate() {
            let step = self.rule.prepare(&clock, &memory);
            dispatch(self.set, Apply { rule: self.rule, step, parameters: self.parameters, table, changes });
            for &slot in &changes.slots {
                self.changed[table][self.owned.number(slot)] = self.pushes;
            }
        }
    }

    fn fetch(&self, since: u32) -> Fetched {
        let tables = self.parameters.tables().zip(&self.changed).map(|(table, changed)| {
            let slots = self.owned.slots(table.slots()).zip(changed);
            Changes::copy(table, slots.filter(|&(_, &push)| push > since).map(|(slot, _)| slot))
        });
        Fetched { now: self.pushes, tables: tables.collect() }
    }
}
