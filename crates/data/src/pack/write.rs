//! The second pass: ids become ranks, rows are sorted, and each piece goes to its place in the file.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use safetensors::Dtype;

use hogwild_base::{Error, Result, output::Temporary, threads};

use super::fields::RankedFields;
use super::known_features::KnownFeatures;
use super::piece::{ExampleWords, Piece, Place, RatingWords};
use super::plan::{FEATURES, ITEMS, Places, Plan, USERS};
use super::ranking::{Ranking, RankingWithValues};
use super::read::Read;
use super::sample::Thinned;
use super::thin::Rare;
use super::weigh::Weighing;
use super::{PackReport, PackSettings, interrupted};
use crate::Kind;
use crate::dictionary::Ranked;
use crate::file::{read_at, write_at};
use crate::kind::{MISSING, is_bad};
use crate::layout::{About, checksum, checksum_place, hash_blocks, names};
use crate::text::recipe::Bits;
use crate::text::{Progress, Recipe, hashed};
use crate::wide::widely;

struct Writer<'a> {
    file: &'a File,
    out: &'a Path,
    spill: &'a File,
    about: About<'a>,
    /// Whether examples have any number of classes.
    several: bool,
    /// Whether labels are not kept.
    forgets: bool,
    thinned: Option<Thinned>,
    weighing: Option<Weighing>,
    proceed: &'a (dyn Fn() -> bool + Sync),
    written: AtomicU64,
    sync: Sender<()>,
}

/// Where the rows, the cells and the classes of a piece begin.
#[derive(Clone, Copy)]
struct At {
    row: u64,
    cell: u64,
    class: u64,
}

/// After how many bytes those written so far are sent on to the disk.
const SYNC: u64 = 16 << 20;

/// Writes the file and puts it in its place.
pub(super) fn write(
    read: Read<'_>,
    target: Temporary,
    out: &Path,
    source: &str,
    settings: &PackSettings,
    progress: Progress<'_>,
) -> Result<PackReport> {
    let Read {
        format,
        mut recipe,
        first,
        items,
        fields,
        mut pieces,
        spill,
        skipped,
        first_skipped,
        mut notes,
        mut targets,
        unlabelled,
        bytes,
        given,
    } = read;
    let kind = format.kind();
    let mut rows: usize = pieces.iter().map(|piece| piece.rows).sum();
    let (mut first, items) = (first.rank(), items.rank());
    let is_fixed = settings.recipe.is_some();
    let beside = |error| Error::io(out, "read beside")(error);
    let several = recipe.as_ref().is_some_and(Recipe::has_several_labels);
    let mut thinned = None;
    if let Some(sampling) = settings.prepare.sample.filter(|_| !is_fixed)
        && let Some(found) = Thinned::of(sampling, targets, rows as u64, several)?
    {
        let (label, share, all) = (found.label, found.share, rows);
        let Some(found) = found.take_out(&mut pieces, &mut first, &spill).map_err(beside)? else {
            let problem = format!("leaves no example with the label {label}; take a larger share");
            return Err(Error::BadSetting { setting: "sample", value: share.to_string(), problem });
        };
        rows = pieces.iter().map(|piece| piece.rows).sum();
        let (gone, factor) = (all - rows, found.factor);
        notes.push(format!("left out: {gone} examples with the label {label}; those that stay count {factor:.4} times"));
        recipe.get_or_insert_with(|| Recipe::of(format)).sampled = Some((Bits::of(label), Bits::of(share)));
        targets = found.targets;
        thinned = Some(found);
    }
    if let Some(bits) = recipe.as_ref().and_then(Recipe::hash_bits).filter(|_| !is_fixed) {
        notes.push(hashed::told(first.counts.len() as u64, bits));
    }
    let least = recipe.as_ref().map_or(1, |recipe| recipe.min_count);
    let known = KnownFeatures::of(recipe.as_ref());
    if is_fixed {
        if let Some(known) = &known {
            Rare::unseen(&first, known).take_out(&mut pieces, &mut first, &spill).map_err(beside)?;
        }
    } else if least > 1 && kind == Kind::Sparse {
        let rare = Rare::fewer(&first, least.into(), recipe.as_ref());
        let gone = rare.take_out(&mut pieces, &mut first, &spill).map_err(beside)?;
        let Rare { grouped, dropped, .. } = rare;
        if grouped > 0 {
            notes.push(format!("{grouped} words that occur in fewer than {least} examples are the feature `name=<rare>` of their columns"));
        }
        if dropped > 0 || grouped == 0 {
            notes.push(format!("{dropped} features that occur in fewer than {least} examples are left out, with {gone} nonzeros"));
        }
    }
    let weighing = recipe.as_ref().and_then(|recipe| Weighing::of(&first, rows, recipe, known.as_ref()));
    let nonzeros: usize = pieces.iter().map(|piece| piece.cells).sum();
    let fields = fields.ranked(&first);
    let [columns, users] = match kind {
        Kind::Sparse => [first.counts.len() as u64, 0],
        Kind::Ratings => [0, first.counts.len() as u64],
    };
    let report = PackReport {
        kind,
        format,
        recipe,
        rows: rows as u64,
        columns,
        nonzeros: nonzeros as u64,
        users,
        items: items.counts.len() as u64,
        targets,
        skipped,
        first_skipped,
        notes,
        bytes,
        seconds: 0.0,
    };
    let file = target.as_file();
    let proceed = || progress.progress(given.0, given.1);
    let (sync, syncs) = std::sync::mpsc::channel();
    let recipe = report.recipe.as_ref().map(|recipe| recipe.to_json().to_string());
    // For predictions the classes of rows that have any number of them are not kept.
    let forgets = several && (settings.unlabelled || unlabelled);
    let about = About { kind: kind.name(), source, unlabelled: unlabelled || forgets, recipe: recipe.as_deref() };
    let several = several && !forgets;
    let writer = Writer {
        file,
        out,
        spill: &spill,
        about,
        several,
        forgets,
        thinned,
        weighing,
        proceed: &proceed,
        written: AtomicU64::new(0),
        sync,
    };
    let (written, synced) = std::thread::scope(|scope| {
        // The disk takes what there is while the rest is still being made. An error is told only once, so it must be kept.
        // Without a thread for it, and by one thread alone, all is synced in the end.
        let sync = move || syncs.into_iter().try_for_each(|()| file.sync_data());
        let synced = (threads::count() > 1).then(|| std::thread::Builder::new().spawn_scoped(scope, sync).ok()).flatten();
        let written = match kind {
            Kind::Sparse => writer.examples(pieces, (nonzeros, rows), &first, fields.as_ref()),
            Kind::Ratings => writer.ratings(pieces, rows, &first, &items),
        };
        drop(writer);
        let hashed = written.and_then(|Places { header, length, .. }| {
            let (hashes, _) = hash_blocks(file, header.len() as u64, length, |_, _| Ok(())).map_err(Error::io(out, "read back"))?;
            Ok((header, hashes))
        });
        let joined = |synced: std::thread::ScopedJoinHandle<'_, std::io::Result<()>>| synced.join();
        (hashed, synced.map_or(Ok(Ok(())), joined).unwrap_or_else(|_| Err(std::io::Error::other("the thread that syncs is gone"))))
    });
    let (mut header, hashes) = written?;
    synced.map_err(Error::io(out, "write"))?;
    let sum = checksum(&header, &hashes);
    if let Some(digits) = checksum_place(&header).and_then(|place| header.get_mut(place)) {
        digits.copy_from_slice(sum.as_bytes());
    }
    write_at(file, &header, 0).map_err(Error::io(out, "write"))?;
    if !proceed() {
        return Err(interrupted(out));
    }
    target.finish()?;
    Ok(report)
}

impl Writer<'_> {
    fn put(&self, bytes: &[u8], at: u64) -> Result<()> {
        write_at(self.file, bytes, at).map_err(Error::io(self.out, "write"))?;
        let length = bytes.len() as u64;
        let before = self.written.fetch_add(length, Relaxed);
        if before / SYNC < (before + length) / SYNC {
            // Fails only when the other end has met an error, which it will tell.
            let _ = self.sync.send(());
        }
        Ok(())
    }

    /// Lays the file out and gives it its length.
    fn begin(&self, plan: &Plan) -> Result<Places> {
        let places = plan.lay_out(self.about).map_err(|problem| Error::io(self.out, "lay out")(std::io::Error::other(problem)))?;
        self.file.set_len(places.length).map_err(Error::io(self.out, "write"))?;
        Ok(places)
    }

    /// Does `work` for each piece, given its cells, and where its rows and cells begin.
    fn each<'p>(&self, pieces: Vec<Piece<'p>>, work: impl Fn(&Piece<'_>, &mut [u32], At) -> Result<()> + Sync) -> Result<()> {
        let (mut rows, mut cells, mut classes) = (0, 0, 0);
        let begin = |mut piece: Piece<'p>| {
            let at = At { row: rows, cell: cells, class: classes };
            rows += piece.rows as u64;
            cells += piece.cells as u64;
            classes += piece.classes as u64;
            (std::mem::replace(&mut piece.place, Place::Spilled(0, 0)), piece, at)
        };
        let begun: Vec<_> = pieces.into_iter().map(begin).collect();
        threads::each(begun, Vec::new, |buffer, (place, piece, at)| {
            if !(self.proceed)() {
                return Err(interrupted(self.out));
            }
            match place {
                Place::Kept(words) => work(&piece, words, at),
                Place::Made(mut words) => work(&piece, &mut words, at),
                Place::Spilled(begin, count) => {
                    buffer.resize(count, 0);
                    read_at(self.spill, bytemuck::cast_slice_mut(buffer), begin).map_err(Error::io(self.out, "read beside"))?;
                    work(&piece, buffer, at)
                }
            }
        })
    }

    fn examples(
        &self,
        pieces: Vec<Piece<'_>>,
        (cells, examples): (usize, usize),
        features: &Ranked,
        fields: Option<&RankedFields>,
    ) -> Result<Places> {
        let has_values = self.weighing.is_some() || pieces.iter().any(|piece| !piece.ones);
        let has_weights = self.thinned.is_some() || pieces.iter().any(|piece| piece.weighted);
        let mut plan = Plan::default();
        let row_start = plan.add("row_start", Dtype::U64, examples + 1);
        let class_start = self.several.then(|| plan.add(names::CLASS_START, Dtype::U64, examples + 1));
        let ids = plan.add_ids(&FEATURES, features);
        let field_ids = fields.map(|fields| (plan.add("field_id", Dtype::U64, fields.ids.len()), bytemuck::cast_slice(&fields.ids)));
        let column = plan.add("column", Dtype::U32, cells);
        let label = plan.add("label", Dtype::F32, examples);
        let value = has_values.then(|| plan.add(names::VALUE, Dtype::F32, cells));
        let weight = has_weights.then(|| plan.add(names::WEIGHT, Dtype::F32, examples));
        let idf = self.weighing.as_ref().map(|weighing| (plan.add(names::IDF, Dtype::F32, weighing.idf.len()), weighing));
        let class = self.several.then(|| plan.add(names::CLASS, Dtype::U32, pieces.iter().map(|piece| piece.classes).sum()));
        let by_column = fields.map(|fields| (plan.add(names::FIELD, Dtype::U16, fields.of.len()), bytemuck::cast_slice(&fields.of)));
        let names = plan.add_names(&FEATURES, features);
        let places = self.begin(&plan)?;
        for (tensor, bytes) in ids.into_iter().chain(field_ids).chain(by_column).chain(names) {
            self.put(bytes, places.of(tensor))?;
        }
        if let Some((idf, weighing)) = idf {
            self.put(bytemuck::cast_slice(&weighing.idf), places.of(idf))?;
        }
        self.put(&(cells as u64).to_le_bytes(), places.of(row_start) + 8 * examples as u64)?;
        let bits = usize::BITS - features.counts.len().saturating_sub(1).leading_zeros();
        let classes: usize = if self.several { pieces.iter().map(|piece| piece.classes).sum() } else { 0 };
        if let Some(starts) = class_start {
            self.put(&(classes as u64).to_le_bytes(), places.of(starts) + 8 * examples as u64)?;
        }
        self.each(pieces, |piece, words, At { row: first_example, cell: first_cell, class: first_class }| {
            let ExampleWords { lengths, labels, codes: columns, mut values, weights, classes } = ExampleWords::of(piece, words);
            let (mut starts, mut start) = (Vec::with_capacity(piece.rows), first_cell);
            for &length in lengths.iter() {
                starts.push(start);
                start += u64::from(length);
            }
            match values.as_deref_mut() {
                Some(values) => widely(RankingWithValues { lengths, codes: columns, values, features, bits }),
                None => widely(Ranking { lengths, codes: columns, features }),
            }
            let mut ones = vec![1f32.to_bits(); if value.is_some() && values.is_none() { piece.cells } else { 0 }];
            let mut values = values.or(value.map(|_| ones.as_mut_slice()));
            if let Some((weighing, values)) = self.weighing.as_ref().zip(values.as_deref_mut()) {
                weighing.weigh(lengths, columns, values);
            }
            self.put(bytemuck::cast_slice(&starts), places.of(row_start) + 8 * first_example)?;
            self.put(bytemuck::cast_slice(columns), places.of(column) + 4 * first_cell)?;
            if self.forgets {
                labels.iter_mut().filter(|bits| !is_bad(**bits)).for_each(|bits| *bits = MISSING.to_bits());
            }
            self.put(bytemuck::cast_slice(labels), places.of(label) + 4 * first_example)?;
            if let Some((class_start, class)) = class_start.zip(class) {
                let (mut starts, mut start) = (Vec::with_capacity(piece.rows), first_class);
                for &label in labels.iter() {
                    starts.push(start);
                    // How many classes an example has stands in the place of its label.
                    start += f32::from_bits(label) as u64;
                }
                self.put(bytemuck::cast_slice(&starts), places.of(class_start) + 8 * first_example)?;
                self.put(bytemuck::cast_slice(classes), places.of(class) + 4 * first_class)?;
            }
            if let Some(weight) = weight {
                let alike = || vec![1f32.to_bits(); piece.rows];
                let mut weights = weights.map_or_else(|| alike().into(), Cow::from);
                if let Some(thinned) = &self.thinned {
                    let weigh = |(weight, &label): (&mut u32, &u32)| *weight = thinned.weight(label, f32::from_bits(*weight)).to_bits();
                    weights.to_mut().iter_mut().zip(labels.iter()).for_each(weigh);
                }
                self.put(bytemuck::cast_slice(&weights), places.of(weight) + 4 * first_example)?;
            }
            match value.zip(values) {
                Some((value, values)) => self.put(bytemuck::cast_slice(values), places.of(value) + 4 * first_cell),
                None => Ok(()),
            }
        })?;
        Ok(places)
    }

    fn ratings(&self, pieces: Vec<Piece<'_>>, count: usize, users: &Ranked, items: &Ranked) -> Result<Places> {
        let mut plan = Plan::default();
        let (user_ids, item_ids) = (plan.add_ids(&USERS, users), plan.add_ids(&ITEMS, items));
        let user = plan.add("user", Dtype::U32, count);
        let item = plan.add("item", Dtype::U32, count);
        let rating = plan.add("rating", Dtype::F32, count);
        let weight = pieces.iter().any(|piece| piece.weighted).then(|| plan.add(names::WEIGHT, Dtype::F32, count));
        let (user_names, item_names) = (plan.add_names(&USERS, users), plan.add_names(&ITEMS, items));
        let places = self.begin(&plan)?;
        for (tensor, bytes) in user_ids.into_iter().chain(item_ids).chain(user_names).chain(item_names) {
            self.put(bytes, places.of(tensor))?;
        }
        self.each(pieces, |piece, words, At { row: first, .. }| {
            let words = RatingWords::of(piece, words);
            words.users.iter_mut().for_each(|code| *code = users.rank(*code));
            words.items.iter_mut().for_each(|code| *code = items.rank(*code));
            for (tensor, part) in [(user, words.users), (item, words.items), (rating, words.ratings)] {
                self.put(bytemuck::cast_slice(part), places.of(tensor) + 4 * first)?;
            }
            if let Some(weight) = weight {
                let weights = words.weights.map_or_else(|| vec![1f32.to_bits(); piece.rows].into(), Cow::from);
                self.put(bytemuck::cast_slice(&weights), places.of(weight) + 4 * first)?;
            }
            Ok(())
        })?;
        Ok(places)
    }
}
