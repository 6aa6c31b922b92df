//! The graph of a run: one set of nodes for both ends of the edges, terminals first, and the edges in the order in which they are trained on.
//!
//! Nodes are numbered as they first come in the file: neighbours in the text are mostly neighbours in the graph, so that the rows of a tile of
//! edges stay in a near cache, and edges of all kinds between the same nodes come together.
use super::terminals::Terminals;
use crate::options::Settings;
use hogwild_base::{Error, Result, memory, threads};
use hogwild_data::{Ids, Ratings};
use hogwild_kernels::{order::Order, seeds::Stream};
use rand::seq::SliceRandom;
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// Nodes of a side of a tile: the rows of both sides stay in a second-level cache.
const TILE: u32 = 2048;
/// Bytes a node of that search: three sums of two numbers, a key to sort by, and a value with its cut, twice while their lists grow.
const SEARCH: usize = 3 * 16 + 8 + 2 * 12;
/// Stands for a node that has no number yet, or none at all.
const NONE: u32 = u32::MAX;

/// A graph to be cut.
pub(super) struct Graph {
    /// What nodes are called: terminals first, in the order of their labels.
    pub nodes: Ids,
    pub labels: Ids,
    /// Both ends of each edge, in the run's order, and what it costs.
    pub ends: Vec<[u32; 2]>,
    pub weights: Vec<f32>,
    /// Positions that stay together when an epoch is shuffled.
    pub units: Vec<Range<u32>>,
}

/// The ends of edges in numbers of nodes, with the names of both sides that these come from.
struct Joined {
    users: Ids,
    items: Ids,
    /// The node of each item; those of users are their own numbers.
    of_items: Vec<u32>,
    count: usize,
}

impl Joined {
    /// A user and an item of one name are one node.
    fn new(data: &Ratings) -> Result<Joined> {
        let (users, items) = (data.user_ids()?, data.item_ids()?);
        let mut of_items = items.translate(&users);
        let mut count = users.len();
        for node in of_items.iter_mut().filter(|node| **node == NONE) {
            *node = count as u32;
            count += 1;
        }
        Ok(Joined { users, items, of_items, count })
    }

    /// The numbers of the nodes of these names; [`NONE`] of those that there are not.
    fn find(&self, names: &Ids) -> Vec<u32> {
        let (user, item) = (names.translate(&self.users), names.translate(&self.items));
        let one = |(user, item): (u32, u32)| if user != NONE { user } else { self.of_items.get(item as usize).copied().unwrap_or(NONE) };
        user.into_iter().zip(item).map(one).collect()
    }

    /// The names of nodes, in this order.
    fn names(&self, order: &[u32]) -> Ids {
        let mut only = vec![NONE; self.count - self.users.len()];
        let first = self.users.len() as u32;
        (0..).zip(&self.of_items).filter(|(_, node)| **node >= first).for_each(|(item, node)| only[(node - first) as usize] = item);
        self.users.chain(&self.items.select(&only)).select(order)
    }
}

/// The edges of data: both ends by the numbers of a [`Joined`] graph or the like, and weights.
type Edges = (Vec<[u32; 2]>, Vec<f32>);

/// The edges as they lie. `of` says which node a user, and which an item is.
fn edges(data: &Ratings, of: [&dyn Fn(u32) -> u32; 2]) -> Result<Edges> {
    let bad = |row: usize, what: &str| {
        let (problem, remedy) = (format!("edge {} {what}", row + 1), "give edges as `node node weight`, with weights of 0 or more");
        Err(Error::BadFile { path: data.name().to_owned(), problem, remedy })
    };
    let (mut ends, mut weights) = (Vec::with_capacity(data.len()), Vec::with_capacity(data.len()));
    let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
    for (row, ((user, item), weight)) in cells.enumerate() {
        let (end, weight) = ([of[0](user.load(Relaxed)), of[1](item.load(Relaxed))], f32::from_bits(weight.load(Relaxed)));
        if !(weight >= 0.0 && weight.is_finite()) {
            return bad(row, &format!("has the weight {weight}"));
        }
        if end[0] == end[1] && end[0] != NONE {
            return bad(row, "has one node at both ends");
        }
        ends.push(end);
        weights.push(weight);
    }
    data.whole().map(|()| (ends, weights))
}

/// The edges between nodes that a model knows, in its numbers, and how many nodes it does not know.
pub(super) fn known_edges(data: &Ratings, nodes: &Ids) -> Result<(Vec<[u32; 2]>, Vec<f32>, u64)> {
    let joined = Joined::new(data)?;
    let [users, items] = [joined.users.translate(nodes), joined.items.translate(nodes)];
    let of = |known: &[u32], number: u32| known.get(number as usize).copied().unwrap_or(NONE);
    let (mut ends, mut weights) = edges(data, [&|user| of(&users, user), &|item| of(&items, item)])?;
    let items_alone = items.iter().zip(&joined.of_items).filter(|(_, node)| **node >= users.len() as u32);
    let unknown = users.iter().chain(items_alone.map(|(known, _)| known)).filter(|&&node| node == NONE).count() as u64;
    if unknown > 0 {
        let mut known = ends.iter().map(|ends| !ends.contains(&NONE));
        weights.retain(|_| known.next().unwrap_or(false));
        ends.retain(|ends| !ends.contains(&NONE));
    }
    Ok((ends, weights, unknown))
}

impl Graph {
    /// # Errors
    /// When there is no room for it, an edge is none, or terminals are none of its nodes.
    pub fn new(data: &Ratings, terminals: &Terminals, settings: &Settings) -> Result<Graph> {
        // In the order of the file, in that of the run, and what they are sorted by; of nodes also what the search for the cheapest threshold
        // sums and sorts at each epoch.
        let a_node = if terminals.labels().len() == 2 { 40 + SEARCH } else { 40 };
        let bytes = (data.len() * (2 * 12 + 24) + (data.users() + data.items()) * a_node) as u64;
        memory::ask(bytes, || format!("{} edges, which train from memory,", data.len()), "cut a smaller graph, or where there is more")?;
        let joined = Joined::new(data)?;
        let found = joined.find(&terminals.nodes());
        terminals.check_found([&found, &joined.find(&terminals.lines())], NONE)?;
        // A mapped file that another process changes may hold any number.
        let of_user = |user: u32| user.min(data.users() as u32 - 1);
        let of_item = |item: u32| joined.of_items.get(item as usize).copied().unwrap_or(0);
        let (mut ends, weights) = edges(data, [&of_user, &of_item])?;
        // Terminals, then nodes as they come.
        let (mut numbers, mut order) = (vec![NONE; joined.count], found);
        (0..).zip(&order).for_each(|(number, &node)| numbers[node as usize] = number);
        for node in ends.iter_mut().flatten() {
            let number = &mut numbers[*node as usize];
            if *number == NONE {
                *number = order.len() as u32;
                order.push(*node);
            }
            *node = *number;
        }
        let (nodes, labels) = (joined.names(&order), terminals.labels());
        let terminals = labels.len() as u32;
        let mut at: Vec<u32> = (0..ends.len() as u32).collect();
        let sequential = settings.order == Order::Sequential;
        let tile = |&edge: &u32| {
            let [u, v] = ends[edge as usize];
            // The row of a terminal is near wherever it lies.
            let [u, v] = [if u < terminals { v } else { u }, if v < terminals { u } else { v }].map(|node| node / TILE);
            (u.min(v), u.max(v))
        };
        if !sequential {
            at.shuffle(&mut Stream::Tiles.random(settings.seed));
            threads::sort_by_key(&mut at, tile); // stable: the shuffle remains within the tile
        }
        // Workers are to find work: large tiles are cut for them.
        let most = (at.len() / (8 * settings.workers().max(1))).clamp(1, 4096) as u32;
        let (mut units, mut start) = (Vec::new(), 0u32);
        for run in at.chunk_by(|a, b| sequential || tile(a) == tile(b)) {
            let end = start + run.len() as u32;
            units.extend((start..end).step_by(most as usize).map(|from| from..end.min(from.saturating_add(most))));
            start = end;
        }
        let weights = at.iter().map(|&edge| weights[edge as usize]).collect();
        let ends = at.iter().map(|&edge| ends[edge as usize]).collect();
        Ok(Graph { nodes, labels, ends, weights, units })
    }

    /// The median of what the edges of a node cost, of nodes that are no terminals and have edges that cost anything; 0 where there are none.
    pub fn usual_degree(&self) -> f64 {
        let mut degrees = vec![0f64; self.nodes.len()];
        for (ends, &weight) in self.ends.iter().zip(&self.weights) {
            ends.iter().for_each(|&node| degrees[node as usize] += weight as f64);
        }
        let mut degrees: Vec<f64> = degrees.into_iter().skip(self.labels.len()).filter(|&degree| degree > 0.0).collect();
        let middle = degrees.len() / 2;
        if degrees.is_empty() { 0.0 } else { *degrees.select_nth_unstable_by(middle, f64::total_cmp).1 }
    }
}
