//! Ratings: what users think of items, by a mean, biases and four tastes.
use super::{
    Room, Rows, Seen, Synth,
    draw::{Random, Zipf, push, push_thousandths, unit},
};
use rand::RngExt;

/// See [`Kind::Ratings`](super::Kind::Ratings).
pub(super) struct Ratings {
    users: Zipf,
    items: Zipf,
    seed: u64,
}

impl Ratings {
    pub fn new(synth: &Synth) -> Ratings {
        Ratings { users: Zipf::new(synth.users, synth.exponent), items: Zipf::new(synth.items, synth.exponent), seed: synth.seed }
    }
}

impl Rows for Ratings {
    fn row(&self, random: &mut Random, _room: &mut Room, out: &mut Vec<u8>, seen: &mut Seen) {
        let user = self.users.draw(random);
        let item = self.items.draw(random);
        let of_user = |k: u64| unit(self.seed ^ 0xA11CE, user * 8 + k) - 0.5;
        let of_item = |k: u64| unit(self.seed ^ 0x17E35, item * 8 + k) - 0.5;
        let taste: f64 = (2..6).map(|k| 4.0 * of_user(k) * of_item(k)).sum();
        let truth = 3.2 + of_user(0) + 1.5 * of_item(0) + taste;
        // The sum of four uniform numbers is near enough to a normal one, and the same everywhere.
        let noise = (0..4).map(|_| random.random::<f64>() - 0.5).sum::<f64>();
        let halves = ((truth + 0.8 * noise) * 2.0).round().clamp(1.0, 10.0);
        seen.rating(halves / 2.0, truth.clamp(0.5, 5.0));
        push(out, user + 1);
        out.push(b'\t');
        push(out, item + 1);
        out.push(b'\t');
        push_thousandths(out, halves as i64 * 500);
        out.push(b'\n');
    }
}
