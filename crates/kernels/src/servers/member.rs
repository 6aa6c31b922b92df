//! A replica's end of an exchange with a centre that a carrier reaches.
use super::{
    WAIT,
    carrier::Carrier,
    centre::{exchange, join, passed},
};
use crate::{
    params::{Between, Parameters, ReplicaEnd, VectorRange},
    wire,
};
use hogwild_base::Result;
use std::time::Duration;

pub(crate) struct Member<'r> {
    carrier: Box<dyn Carrier + 'r>,
    end: ReplicaEnd<'r>,
    /// Whether it has the centre's weights after an exchange, or keeps its own.
    joins: bool,
    /// By shard: the first exchange whose outcome it does not know.
    unseen: Vec<u32>,
    /// What is on the way from it or to it, by shard.
    pending: Pending,
    /// Buffers of messages that are not in use.
    spare: Vec<Vec<u8>>,
}

enum Pending {
    None,
    /// Requests that have not arrived.
    Sent(Vec<Vec<u8>>),
    /// Answers that have not been looked at.
    Answered(Vec<Vec<u8>>),
}

impl<'r> Member<'r> {
    /// `shards`: over how many the centre is spread; `late`: whether the replica goes on while its messages are under way, by [`send`](Self::send).
    ///
    /// # Errors
    /// When there is too little memory; when a shard does not answer, or not as it should, as of all below.
    pub fn new(carrier: Box<dyn Carrier + 'r>, shards: usize, own: &'r Parameters, between: Between, late: bool) -> Result<Member<'r>> {
        let (end, joins) = (ReplicaEnd::new(own, between, late)?, between.joins());
        let mut member = Member { carrier, end, joins, unseen: vec![0; shards], pending: Pending::None, spare: Vec::new() };
        member.join()?;
        Ok(member)
    }

    /// An epoch begins: takes over what the others have changed; not where replicas keep weights of their own.
    pub fn begin(&mut self) -> Result<()> {
        if self.joins { self.join() } else { Ok(()) }
    }

    /// Exchanges with all shards. Gives how many slots it had changed, their numbers, and the bytes of its requests.
    pub fn exchange(&mut self) -> Result<[u64; 3]> {
        let (requests, counts) = self.tell();
        let answers = self.ask(requests)?;
        self.take(answers, false)?;
        Ok(counts)
    }

    /// Sends its changes, unless others are under way; what has come back is taken over. Gives what was sent, as [`exchange`](Self::exchange).
    pub fn send(&mut self) -> Result<Option<[u64; 3]>> {
        if matches!(self.pending, Pending::Sent(_)) {
            return Ok(None);
        }
        self.receive()?;
        let (requests, counts) = self.tell();
        self.pending = Pending::Sent(requests);
        Ok(Some(counts))
    }

    /// Takes over what has come back, if anything has.
    pub fn receive(&mut self) -> Result<()> {
        if let Pending::Answered(_) = self.pending
            && let Pending::Answered(answers) = std::mem::replace(&mut self.pending, Pending::None)
        {
            return self.take(answers, false);
        }
        Ok(())
    }

    /// What was sent arrives, and is answered.
    pub fn arrive(&mut self) -> Result<()> {
        if let Pending::Sent(requests) = std::mem::replace(&mut self.pending, Pending::None) {
            self.pending = Pending::Answered(self.ask(requests)?);
        }
        Ok(())
    }

    fn join(&mut self) -> Result<()> {
        let mut requests = Vec::with_capacity(self.unseen.len());
        for &from in &self.unseen {
            let mut message = self.spare.pop().unwrap_or_default();
            join(&mut message, from);
            requests.push(message);
        }
        let answers = self.ask(requests)?;
        self.take(answers, true)
    }

    fn tell(&mut self) -> (Vec<Vec<u8>>, [u64; 3]) {
        let (of, mut counts) = (self.unseen.len(), [0; 3]);
        let mut requests = Vec::with_capacity(of);
        for number in 0..of {
            let mut message = self.spare.pop().unwrap_or_default();
            exchange(&mut message, self.unseen[number]);
            let [slots, numbers] = self.end.tell(VectorRange { number, of }, &mut message);
            wire::end(&mut message);
            counts = [counts[0] + slots, counts[1] + numbers, counts[2] + message.len() as u64];
            requests.push(message);
        }
        (requests, counts)
    }

    /// Gives the answers of all shards. After an error, which ends the run, nothing more is asked or waited for: of what was asked is done
    /// what needs no waiting.
    fn ask(&mut self, mut requests: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        // Each begins with another shard, so that those who exchange at once seldom wait.
        let (of, first) = (requests.len(), self.carrier.rank() * requests.len() / self.carrier.size());
        let (mut tickets, mut done) = (Vec::with_capacity(of), Ok(()));
        for shard in (0..of).map(|i| (first + i) % of) {
            match self.carrier.ask(shard, std::mem::take(&mut requests[shard])) {
                Ok(ticket) => tickets.push((shard, ticket)),
                Err(error) => {
                    done = Err(error);
                    break;
                }
            }
        }
        let mut answers = requests; // what was in them is on its way
        for (shard, ticket) in tickets {
            let within = if done.is_ok() { WAIT } else { Duration::ZERO };
            done = done.and(self.carrier.answer(&ticket, within).map(|answer| answers[shard] = answer));
        }
        done.map(|()| answers)
    }

    /// Takes over what shards answered; `begins`: to go on as the centre is, whatever was learnt.
    fn take(&mut self, answers: Vec<Vec<u8>>, begins: bool) -> Result<()> {
        let of = self.unseen.len();
        for (number, answer) in answers.into_iter().enumerate() {
            let part = VectorRange { number, of };
            let first = self.unseen[number] == 0;
            let (now, told) = passed(&answer, |reader| self.end.read(part, first, reader))?;
            self.unseen[number] = now.saturating_add(1); // it makes fewer exchanges than that
            if begins {
                self.end.begin(part, &told)
            } else {
                self.end.hear(&told)
            }
            self.spare.push(answer);
        }
        Ok(())
    }
}
