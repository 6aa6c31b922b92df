//! Graphs to be cut, whose nodes have a hidden label each: pixels of an image, or mentions of entities. Nodes are numbers, and terminals are
//! those behind all others. A row is a node with its edges to terminals and to other nodes.
use super::{
    Kind, Room, Rows, Seen, Synth,
    draw::{Random, Zipf, mix, push, push_thousandths, unit},
};
use rand::{RngExt, SeedableRng};

/// Parts of an image: the pixels next to each of so many points have one label.
const CELLS: u64 = 60;
/// How much a pixel's own label stands out of normal noise.
const SIGNAL: f64 = 1.2;
/// Other mentions that a mention is like.
const LIKE: u64 = 3;
/// Weights, in thousandths, of an edge to a terminal that no other has one to: of another label, and of the node's own.
const OF_BARE: (i64, i64) = (250, 750);
/// Where a mention looks for another of its entity.
const TRIES: u64 = 64;

/// What both kinds of graphs have: labels of nodes, and edges.
pub(super) trait Graph: Sync {
    /// The hidden label of a node.
    fn label(&self, node: u64) -> u64;
    /// The node's edges to terminals, by label, with weights in thousandths.
    fn to_terminals(&self, node: u64, random: &mut Random) -> Vec<(u64, i64)>;
    /// The other ends of the node's further edges, with weights in thousandths.
    fn to_nodes(&self, node: u64, random: &mut Random) -> Vec<(u64, i64)>;
}

/// The graph of a kind, with how many nodes it has.
pub(super) struct Nodes {
    graph: Box<dyn Graph>,
    count: u64,
    seed: u64,
    /// Labels whose terminals no node has an edge to by lot: the first nodes have one to them each.
    bare: Vec<u64>,
}

impl Nodes {
    pub fn new(synth: &Synth) -> Nodes {
        let graph: Box<dyn Graph> = match synth.kind {
            Kind::CutEntities => Box::new(Entities::new(synth)),
            _ => Box::new(Image::new(synth)),
        };
        let mut nodes = Nodes { graph, count: synth.rows, seed: synth.seed, bare: Vec::new() };
        let mut is_bare = vec![true; synth.labels as usize];
        let mut left = synth.labels;
        // By lot all have edges soon.
        for node in 0..synth.rows {
            if left == 0 {
                break;
            }
            for (label, _) in nodes.to_terminals(node, &mut nodes.random(node)) {
                left -= u64::from(std::mem::take(&mut is_bare[label as usize]));
            }
        }
        nodes.bare = (0..synth.labels).filter(|&label| is_bare[label as usize]).collect();
        nodes
    }

    fn random(&self, node: u64) -> Random {
        Random::seed_from_u64(mix(self.seed, node))
    }

    /// The node's edges to terminals: each terminal has one edge at least.
    fn to_terminals(&self, node: u64, random: &mut Random) -> Vec<(u64, i64)> {
        let mut edges = self.graph.to_terminals(node, random);
        let weight = |label| if label == self.label(node) { OF_BARE.1 } else { OF_BARE.0 };
        let bare = self.bare.iter().skip(node as usize).step_by(self.count.max(1) as usize);
        edges.extend(bare.map(|&label| (label, weight(label))));
        edges
    }

    /// The hidden label of a node.
    pub fn label(&self, node: u64) -> u64 {
        self.graph.label(node)
    }

    /// The label that a node has by its edges to terminals alone: that of the heaviest.
    fn alone(&self, node: u64) -> u64 {
        let edges = self.to_terminals(node, &mut self.random(node));
        edges.into_iter().max_by_key(|&(label, weight)| (weight, std::cmp::Reverse(label))).map_or(0, |(label, _)| label)
    }
}

impl Rows for Nodes {
    fn row(&self, random: &mut Random, _room: &mut Room, out: &mut Vec<u8>, seen: &mut Seen) {
        let node = seen.node();
        let (label, alone) = (self.label(node), self.alone(node));
        let mut edge = |other: u64, weight: i64, differ: [bool; 2]| {
            push(out, node);
            out.push(b'\t');
            push(out, other);
            out.push(b'\t');
            push_thousandths(out, weight);
            out.push(b'\n');
            seen.edge(weight as f64 / 1000.0, differ);
        };
        for (of, weight) in self.to_terminals(node, random) {
            edge(self.count + of, weight, [of != label, of != alone]);
        }
        for (other, weight) in self.graph.to_nodes(node, random) {
            edge(other, weight, [self.label(other) != label, self.alone(other) != alone]);
        }
    }
}

/// An image of flat parts with noise (Potts): each pixel is bound to its neighbours by 1, and to terminals by how much it looks like their
/// labels.
struct Image {
    width: u64,
    pixels: u64,
    labels: u64,
    /// Where each part has its point, and its label.
    cells: Vec<([f64; 2], u64)>,
}

impl Image {
    fn new(synth: &Synth) -> Image {
        let (width, seed) = (synth.rows.isqrt().max(1), synth.seed ^ 0x1CE11);
        let height = synth.rows.div_ceil(width);
        // Each label has one part at least.
        let cell = |i: u64| {
            let at = [unit(seed, 3 * i) * width as f64, unit(seed, 3 * i + 1) * height as f64];
            (at, if i < synth.labels { i } else { mix(seed, 3 * i + 2) % synth.labels })
        };
        Image { width, pixels: synth.rows, labels: synth.labels, cells: (0..CELLS.max(synth.labels)).map(cell).collect() }
    }
}

impl Graph for Image {
    fn label(&self, pixel: u64) -> u64 {
        let at = [pixel % self.width, pixel / self.width].map(|x| x as f64 + 0.5);
        let distance = |point: &[f64; 2]| (point[0] - at[0]).powi(2) + (point[1] - at[1]).powi(2);
        self.cells.iter().min_by(|a, b| distance(&a.0).total_cmp(&distance(&b.0))).map_or(0, |cell| cell.1)
    }

    fn to_terminals(&self, pixel: u64, random: &mut Random) -> Vec<(u64, i64)> {
        let label = self.label(pixel);
        // The sum of twelve uniform numbers is near enough to a normal one, and the same everywhere.
        let mut looks = |of: u64| (of == label) as u8 as f64 * SIGNAL + (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let all: Vec<f64> = (0..self.labels).map(&mut looks).collect();
        let least = all.iter().copied().fold(f64::INFINITY, f64::min);
        (0..).zip(all).map(|(of, looks)| (of, ((looks - least) * 1000.0).round() as i64)).filter(|&(_, weight)| weight > 0).collect()
    }

    fn to_nodes(&self, pixel: u64, _random: &mut Random) -> Vec<(u64, i64)> {
        let right = (pixel % self.width + 1 < self.width).then_some(pixel + 1);
        let neighbours = right.into_iter().chain([pixel + self.width]);
        neighbours.filter(|&other| other < self.pixels).map(|other| (other, 1000)).collect()
    }
}

/// Mentions of entities, bound by how like they are: half of them to their entity, all to two others somewhat, and to a few other mentions.
struct Entities {
    mentions: u64,
    labels: u64,
    often: Zipf,
    seed: u64,
}

impl Entities {
    fn new(synth: &Synth) -> Entities {
        let seed = synth.seed ^ 0xE17171E5;
        Entities { mentions: synth.rows, labels: synth.labels, often: Zipf::new(synth.labels, synth.exponent), seed }
    }

    /// How like two names are, in thousandths: those of one entity more than half.
    fn likeness(is_one: bool, random: &mut Random) -> i64 {
        let likeness = 1 + (random.random::<f64>() * 499.0) as i64;
        if is_one { 500 + likeness } else { likeness }
    }
}

impl Graph for Entities {
    fn label(&self, mention: u64) -> u64 {
        self.often.draw(&mut Random::seed_from_u64(mix(self.seed, mention)))
    }

    fn to_terminals(&self, mention: u64, random: &mut Random) -> Vec<(u64, i64)> {
        let label = self.label(mention);
        let knows = random.random::<f64>() < 0.5;
        let own = knows.then(|| (label, Entities::likeness(true, random)));
        let others: Vec<u64> =
            (0..2.min(self.labels - 1)).map(|i| (label + 1 + (random.random::<u64>() % (self.labels - 1) + i)) % self.labels).collect();
        let mut edges: Vec<(u64, i64)> = own.into_iter().collect();
        for other in others.into_iter().filter(|&other| other != label) {
            if edges.iter().all(|&(known, _)| known != other) {
                edges.push((other, Entities::likeness(false, random)));
            }
        }
        edges
    }

    fn to_nodes(&self, mention: u64, random: &mut Random) -> Vec<(u64, i64)> {
        let label = self.label(mention);
        let mut edges: Vec<(u64, i64)> = Vec::new();
        for _ in 0..LIKE.min(self.mentions - 1) {
            let mut other = mention;
            for _ in 0..TRIES {
                other = random.random::<u64>() % self.mentions;
                if other != mention && self.label(other) == label {
                    break;
                }
            }
            if other != mention && edges.iter().all(|&(known, _)| known != other) {
                edges.push((other, Entities::likeness(self.label(other) == label, random)));
            }
        }
        edges
    }
}
