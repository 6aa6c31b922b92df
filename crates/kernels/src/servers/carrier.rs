//! What brings bytes from one of those who train together to another: five calls. `downpour` stands above them, and knows nothing else of
//! where the others are.
use hogwild_base::Result;
use std::time::Duration;

/// A way to bring messages: threads of one process ([`Threads`](super::Threads)), and on a cluster whatever passes bytes there.
///
/// There are [`size`](Self::size) replicas, numbered from 0, and some shards, numbered from 0 too: parameter servers, each of which
/// [answers](Shard) requests one at a time. A replica has one carrier, and calls it from one thread at a time. A message is any number of
/// bytes, 0 included; it arrives whole, once, and unchanged, or there is an error. What is in it a carrier needs not know. (All numbers in the
/// messages of this crate are little-endian, and frames say how long they are. So they may pass between unlike machines, and a
/// receiver tells a damaged one.)
///
/// Nobody waits without an end. Each call that waits has a deadline, `within`, after which it fails with
/// [`Error::Missing`](hogwild_base::Error::Missing): that names who was waited for, and what is known of them. A carrier that learns
/// earlier that somebody has gone (a process that died) may fail at once. After such an error replicas no longer agree, and the run is to
/// end. (Of threads the deadline is time in which the one waited for shows no life: a busy server is waited for.)
///
/// | call | MPI | Ray |
/// |---|---|---|
/// | `rank`, `size` | the communicator's | arguments of the actor |
/// | `all_to_all` | an `Isend` to each, tagged by the round; `Improbe` and `Mrecv` until the deadline | a put for each other, one `get` with a timeout |
/// | `ask` | `Isend` to the shard's rank | a call of the shard's actor |
/// | `answer` | `Improbe` and `Mrecv` until the deadline | `get` with a timeout |
///
/// A message of 2 GB or more goes in pieces by MPI, whose counts are 32 bits. Besides the calls a cluster needs a loop that receives
/// requests and calls [`Shard::handle`], and word that the run is over.
pub trait Carrier: Send {
    /// The number of this replica, below [`size`](Self::size). It stays the same.
    fn rank(&self) -> usize;

    /// How many replicas take part, at least 1. It stays the same.
    fn size(&self) -> usize;

    /// Sends a message to every replica, `parts[i]` to number `i` (to this one, too), and gives what all have sent to this one, by their
    /// number. The calls of all replicas are matched in turn: everybody's first, everybody's second, and so on. Parts may be of
    /// unequal length. So votes, agreements and synchronous rounds are made.
    ///
    /// # Errors
    /// [`Error::Missing`](hogwild_base::Error::Missing) when somebody has ended without this round, or has not come to it within the time;
    /// the round is lost to this replica then, and its next call is of the next round.
    ///
    /// # Panics
    /// When there are not as many parts as replicas: an error of whoever calls.
    fn all_to_all(&mut self, parts: Vec<Vec<u8>>, within: Duration) -> Result<Vec<Vec<u8>>>;

    /// Sends a request to a shard without waiting for its answer, so that requests to several shards are under way at once. Each is done
    /// once, and those of one replica to one shard in the order in which they were asked, at the latest when
    /// [`answer`](Self::answer) is called for them. One that nobody asks the answer of may not be done.
    ///
    /// # Errors
    /// When there is no such shard, or it is known to be gone.
    fn ask(&mut self, shard: usize, request: Vec<u8>) -> Result<Ticket>;

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// [`Error::Missing`](hogwild_base::Error::Missing) when there is none within the time: the ticket still stands, and may be asked for
    /// again. [`Error::BadMessage`](hogwild_base::Error::BadMessage) when the shard could not understand the request, or the ticket is not
    /// one that this carrier has given and not yet answered.
    fn answer(&mut self, ticket: &Ticket, within: Duration) -> Result<Vec<u8>>;
}

/// A request that has been sent: its number among those of a replica.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub u64);

/// A parameter server: bytes in, bytes out. It neither waits nor knows who asks, so that anything may stand before it.
pub trait Shard: Send {
    /// Does what a request says, and writes the answer in place of what was in the buffer.
    ///
    /// # Errors
    /// When the request is damaged or not for this shard; then nothing has been done.
    fn handle(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<()>;
}
