//! # Paths of the update rules
//!
//! Shows how to step any update rule outside of a model, by a `RuleVisitor` and `Plain` weights.
//! `cargo run --release --example landscape [FOLDER]` writes `valley.svg` and `saddle.svg` there.
//!
//! # The pictures
//! They are those of Alec Radford in Ruder's overview (2016): a curved valley and a saddle point.
//!
//! # The rates
//! Each rule goes at a rate of 1, 2 or 5 times a power of ten. It is the one that gets down fastest of those at which no step is longer
//! than a bound. So one sees where a rule turns and not how far it is thrown.
//!
//! # The weights
//! Weights are the distance from the start, as a model's weights start at 0. The two coordinates are a row of factors, so row-wise rules
//! have one state for both.
use hogwild::{
    F32x16, OutputFile, Plain, Rule, Weights,
    rules::{Clock, RuleVisitor, UpdateRule},
};
use plotters::{coord::Shift, element::DashedPathElement, prelude::*};
use std::{error::Error, io::Write, ops::Range, path::Path};

const STEPS: u64 = 2000;

struct Landscape {
    file: &'static str,
    title: &'static str,
    height: fn(f64, f64) -> f64,
    start: [f64; 2],
    /// Where it is lowest.
    minima: &'static [[f64; 2]],
    x: Range<f64>,
    y: Range<f64>,
    /// The bound of a step.
    longest: f64,
    /// What is drawn as contours, above the lowest.
    contours: &'static [f64],
}

const LANDSCAPES: [Landscape; 2] = [
    Landscape {
        file: "valley.svg",
        title: "A curved valley: Beale's function",
        height: |x, y| (1.5 - x + x * y).powi(2) + (2.25 - x + x * y * y).powi(2) + (2.625 - x + x * y * y * y).powi(2),
        start: [1.0, 1.5],
        minima: &[[3.0, 0.5]],
        x: -0.5..4.5,
        y: -1.6..1.9,
        longest: 0.3,
        contours: &[0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
    },
    Landscape {
        file: "saddle.svg",
        title: "A saddle point between two minima: x² - y² + y⁴/4",
        height: |x, y| x * x - y * y + y.powi(4) / 4.0,
        start: [-1.0, 0.01],
        minima: &[[0.0, std::f64::consts::SQRT_2], [0.0, -std::f64::consts::SQRT_2]],
        x: -1.3..1.3,
        y: -0.6..1.9,
        longest: 0.12,
        contours: &[0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.3, 1.6, 2.0, 2.5],
    },
];

impl Landscape {
    /// Above the lowest point.
    fn above(&self, [x, y]: [f64; 2]) -> f64 {
        (self.height)(x, y) - (self.height)(self.minima[0][0], self.minima[0][1])
    }

    fn gradient(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        let (h, f) = (1e-5, self.height);
        [(f(x + h, y) - f(x - h, y)) / (2.0 * h), (f(x, y + h) - f(x, y - h)) / (2.0 * h)].map(|g| g as f32)
    }

    /// The path of a rule at its best rate, and that rate.
    fn best(&self, rule: Rule) -> Option<(f32, Vec<[f64; 2]>)> {
        // Read from text, a rate is the nearest number to what is shown.
        let rates = (-4..=2).flat_map(|power| [1, 2, 5].map(|digit| format!("{digit}e{power}").parse().unwrap_or(f32::NAN)));
        let walks = rates.map(|rate| (rate, rule.visit(Walk { landscape: self, rate })));
        let short = |path: &[[f64; 2]]| path.windows(2).all(|w| (w[0][0] - w[1][0]).hypot(w[0][1] - w[1][1]) <= self.longest);
        // By the root, so that what does not come to rest at the end counts.
        let height = |path: &[[f64; 2]]| path.iter().map(|&at| self.above(at).max(0.0).sqrt()).sum::<f64>();
        walks.filter(|(_, path)| short(path)).min_by(|a, b| height(&a.1).total_cmp(&height(&b.1)))
    }
}

/// The way that a rule takes down at a rate.
struct Walk<'a> {
    landscape: &'a Landscape,
    rate: f32,
}

impl RuleVisitor for Walk<'_> {
    type Output = Vec<[f64; 2]>;

    fn visit<R: UpdateRule>(self, rule: R) -> Vec<[f64; 2]> {
        let mut weights = Plain::new(rule, 0, 1, 2);
        let mut row = [F32x16::default()];
        let mut path = Vec::new();
        for step in 1..=STEPS {
            weights.set_clock(&Clock { rate: self.rate, step, steps: STEPS });
            weights.gather_row(0, &mut row);
            let at = [0, 1].map(|i| self.landscape.start[i] + row[0].0[i] as f64);
            path.push(at);
            let [a, b] = self.landscape.gradient(at);
            let mut gradient = F32x16::default();
            gradient.0[..2].copy_from_slice(&[a, b]);
            weights.step_row(0, &[gradient], a * a + b * b, 0.0);
        }
        path
    }
}

/// The pieces of a contour, cell by cell of a grid (marching squares).
fn contour(land: &Landscape, level: f64) -> Vec<[(f64, f64); 2]> {
    const CELLS: usize = 120;
    let at = |i: usize, j: usize| {
        let along = |range: &Range<f64>, i: usize| range.start + (range.end - range.start) * i as f64 / CELLS as f64;
        (along(&land.x, i), along(&land.y, j))
    };
    let mut pieces = Vec::new();
    for (i, j) in (0..CELLS).flat_map(|i| (0..CELLS).map(move |j| (i, j))) {
        let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| at(i, j));
        let heights = corners.map(|(x, y)| land.above([x, y]) - level);
        let crossings: Vec<(f64, f64)> = (0..4)
            .map(|side| (side, (side + 1) % 4))
            .filter(|&(a, b)| (heights[a] < 0.0) != (heights[b] < 0.0))
            .map(|(a, b)| {
                let share = heights[a] / (heights[a] - heights[b]);
                let between = |a: f64, b: f64| a + share * (b - a);
                (between(corners[a].0, corners[b].0), between(corners[a].1, corners[b].1))
            })
            .collect();
        pieces.extend(crossings.chunks_exact(2).map(|ends| [ends[0], ends[1]]));
    }
    pieces
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const COLOURS: [(u8, u8, u8); 8] =
    [(214, 39, 40), (31, 119, 180), (44, 160, 44), (148, 103, 189), (255, 127, 14), (140, 86, 75), (227, 119, 194), (0, 150, 165)];

/// A rule's line in pixels: eight colours, whole, then dashed, then dotted.
fn stroke(area: &Area<'_>, index: usize, pixels: Vec<(i32, i32)>) -> Result<(), Box<dyn Error>> {
    let (red, green, blue) = COLOURS[index % COLOURS.len()];
    let style = RGBColor(red, green, blue).stroke_width(2);
    match index / COLOURS.len() {
        0 => area.draw(&PathElement::new(pixels, style))?,
        1 => area.draw(&DashedPathElement::new(pixels, 8, 4, style))?,
        _ => area.draw(&DashedPathElement::new(pixels, 2, 4, style))?,
    }
    Ok(())
}

fn draw(land: &Landscape, area: Area<'_>) -> Result<(), Box<dyn Error>> {
    area.fill(&WHITE)?;
    let (map, legend) = area.split_horizontally(720);
    let mut chart = ChartBuilder::on(&map)
        .caption(land.title, ("sans-serif", 20))
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(50)
        .build_cartesian_2d(land.x.clone(), land.y.clone())?;
    chart.configure_mesh().disable_mesh().x_desc("x").y_desc("y").label_style(("sans-serif", 14)).draw()?;
    for (i, &level) in land.contours.iter().enumerate() {
        // The lower the darker.
        let grey = 120 + (110 * i / land.contours.len()) as u8;
        let colour = RGBColor(grey, grey, grey).stroke_width(1);
        chart.draw_series(contour(land, level).into_iter().map(|ends| PathElement::new(ends, colour)))?;
    }
    let level = land.contours[0] / 3.0;
    let style = ("sans-serif", 15).into_font();
    legend.draw(&Text::new("rule, learning rate", (56, 50), style.clone()))?;
    legend.draw(&Text::new("steps", (220, 50), style.clone()))?;
    for (index, rule) in Rule::ALL.into_iter().enumerate() {
        let (rate, path) = land.best(rule).ok_or_else(|| format!("{rule} has no rate of so short steps"))?;
        let there = path.iter().position(|&at| land.above(at) < level);
        // No further, as what rattles about the minimum would hide the others.
        let way = &path[..there.unwrap_or(path.len() - 1) + 1];
        let inside = way.iter().take_while(|at| land.x.contains(&at[0]) && land.y.contains(&at[1]));
        let mut pixels: Vec<_> = inside.map(|&[x, y]| chart.backend_coord(&(x, y))).collect();
        pixels.dedup();
        stroke(&area, index, pixels)?;
        let y = 80 + 28 * index as i32;
        stroke(&legend, index, vec![(10, y + 7), (48, y + 7)])?;
        legend.draw(&Text::new(format!("{}  {rate}", rule.name()), (56, y), style.clone()))?;
        legend.draw(&Text::new(there.map_or(format!("> {STEPS}"), |steps| steps.to_string()), (220, y), style.clone()))?;
    }
    let below = 90 + 28 * Rule::ALL.len() as i32;
    legend.draw(&Text::new(format!("steps: until {level} above the minimum"), (10, below), style.clone()))?;
    legend.draw(&Text::new("start", (30, below + 24), style.clone()))?;
    legend.draw(&Text::new("minimum", (120, below + 24), style))?;
    let (start, minimum) = (|at| Circle::new(at, 5, BLACK.filled()), |at| Cross::new(at, 6, BLACK.stroke_width(2)));
    legend.draw(&start((17, below + 31)))?;
    legend.draw(&minimum((107, below + 31)))?;
    area.draw(&start(chart.backend_coord(&(land.start[0], land.start[1]))))?;
    for &[x, y] in land.minima.iter().filter(|at| land.y.contains(&at[1])) {
        area.draw(&minimum(chart.backend_coord(&(x, y))))?;
    }
    area.present()?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).unwrap_or(".".into());
    for land in &LANDSCAPES {
        let mut picture = String::new();
        draw(land, SVGBackend::with_string(&mut picture, (1000, 640)).into_drawing_area())?;
        let mut file = OutputFile::create(&Path::new(&folder).join(land.file))?;
        file.write_all(picture.as_bytes())?;
        file.finish()?;
    }
    Ok(())
}
