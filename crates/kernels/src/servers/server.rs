//! A parameter server: some of the slots of all tables. The rule steps them by what replicas push; replicas fetch what has changed.
use super::{
    ServerRule,
    carrier::Shard,
    requests::{self, Request},
};
use crate::{
    params::{Apply, Move, Owned, Parameters, Section},
    rules::{Clock, Erased, UpdateRule},
    simd::{InstructionSet, dispatch},
    wire,
};
use hogwild_base::{Error, Result};

/// Requests in, answers out: a server knows nothing of who asks.
pub(crate) struct Server<'r> {
    set: InstructionSet,
    rule: Erased<'r>,
    parameters: &'r Parameters,
    owned: Owned,
    /// By table, by slot that it owns: the push that changed it last; 0 for none.
    changed: Vec<Vec<u32>>,
    replicas: usize,
    /// Pushes so far, and about how many there will be.
    pushes: u32,
    all_pushes: u64,
}

/// What a server is told of those who push.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clients {
    pub replicas: usize,
    /// About how many pushes a run has.
    pub pushes: u64,
}

impl<'r> Server<'r> {
    pub fn new(set: InstructionSet, rule: &ServerRule<'r>, parameters: &'r Parameters, owned: Owned, clients: Clients) -> Server<'r> {
        let changed = parameters.tables().map(|table| vec![0; owned.count(table.slots())]).collect();
        let Clients { replicas, pushes: all_pushes } = clients;
        Server { set, rule: rule.0, parameters, owned, changed, replicas, pushes: 0, all_pushes }
    }

    /// Rules count pushes as steps.
    fn push(&mut self, rate: f32, examples: u64, sections: &[Section<'_>]) {
        self.pushes += 1;
        let clock = Clock { rate, step: self.pushes as u64, steps: self.all_pushes.max(self.pushes as u64) };
        let together = together(self.replicas, examples);
        for (table, (section, changed)) in sections.iter().zip(&mut self.changed).enumerate() {
            let step = self.rule.prepare(&clock, &Default::default());
            let (rule, parameters, owned, push) = (self.rule, self.parameters, self.owned, self.pushes);
            dispatch(self.set, Apply { rule, step, parameters, table, section, together, owned, changed, push });
        }
    }

    fn send(&self, from: u32, answer: &mut Vec<u8>) {
        requests::changed(answer, self.pushes);
        for (table, changed) in self.parameters.tables().zip(&self.changed) {
            Move::Copy { owned: self.owned, changed, from, to: answer }.run(self.set, table);
        }
        wire::end(answer);
    }
}

impl Shard for Server<'_> {
    fn handle(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
        match requests::request(request, self.parameters, self.owned)? {
            Request::Push { .. } if self.pushes == u32::MAX - 1 => {
                return Err(Error::BadMessage { bytes: request.len(), problem: format!("is a push after {}, which are all", self.pushes) });
            }
            Request::Push { rate, examples, sections } => {
                self.push(rate, examples, &sections);
                requests::done(answer);
            }
            Request::Fetch { from } => self.send(from, answer),
        }
        Ok(())
    }
}

/// What the square of a push's sum `G` counts beside the sum `S` of squares: the others push the like from weights that do not know of it.
///
/// Of `k` gradients `G^2 / k` is the part of `S` that agrees. Adagrad's state takes it once for each replica: `S + (N - 1) G^2 / k`. With
/// `S` alone 64 replicas that push each 64 examples overshoot in the first epoch, and the best loss of ten is .27 to .34 (imdb_1gram,
/// three seeds); with this .263 to .264. At most once `G^2`, or many replicas that push often are slow.
fn together(replicas: usize, examples: u64) -> f32 {
    ((replicas.max(1) - 1) as f32 / examples.max(1) as f32).min(1.0)
}
