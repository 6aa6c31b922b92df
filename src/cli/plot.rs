//! The picture of a run: training and held-out loss, by epoch and by second of training, as SVG.
use anyhow::{Context, anyhow};
use hogwild::{Outcome, OutputFile};
use plotters::prelude::*;
use std::{io::Write, path::Path};

// What other pictures are drawn with, too.
pub const FIRST: RGBColor = RGBColor(31, 119, 180);
pub const SECOND: RGBColor = RGBColor(214, 39, 40);
pub const SPECIAL: RGBColor = RGBColor(44, 110, 44);
pub const FONT: &str = "sans-serif";

pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Writes the picture of a run.
pub fn write(path: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    write_picture(path, (1000, 440), |area| draw(area, outcome))
}

/// Writes a picture of that many pixels, whole or not at all.
pub fn write_picture(path: &Path, size: (u32, u32), draw: impl FnOnce(Area<'_>) -> Drawn) -> anyhow::Result<()> {
    let mut picture = String::new();
    draw(SVGBackend::with_string(&mut picture, size).into_drawing_area())
        .map_err(|error| anyhow!("{}: cannot draw: {error}", path.display()))?;
    let mut file = OutputFile::create(path)?;
    file.write_all(picture.as_bytes()).with_context(|| format!("{}: cannot write", path.display()))?;
    Ok(file.finish()?)
}

fn draw(area: Area<'_>, outcome: &Outcome) -> Drawn {
    area.fill(&WHITE)?;
    let settings = &outcome.settings;
    let threads = if settings.threads == 1 { "1 thread".to_string() } else { format!("{} threads", settings.threads) };
    let title = format!("{} loss by {}, {threads}", settings.asked.loss, settings.rule);
    let area = area.titled(&title, (FONT, 20))?;
    // Above the panels, where it hides nothing.
    let (above, panels) = area.split_vertically(30);
    legend(&above, outcome)?;
    let (left, right) = panels.split_horizontally(500);
    let by_epoch: Vec<f64> = outcome.epochs.iter().map(|e| e.epoch as f64).collect();
    let by_second = outcome.epochs.iter().scan(0.0, |sum, e| {
        *sum += e.seconds;
        Some(*sum)
    });
    panel(&left, outcome, &by_epoch, "epoch", true)?;
    panel(&right, outcome, &by_second.collect::<Vec<_>>(), "seconds of training", false)?;
    area.present()?;
    Ok(())
}

/// What the lines are, of those that there are.
fn legend(area: &Area<'_>, outcome: &Outcome) -> Drawn {
    let held_out = outcome.epochs.iter().any(|epoch| epoch.valid.is_some());
    let entries = [
        ("training", FIRST, true),
        ("held out", SECOND, held_out),
        ("ensemble, held out", SPECIAL, outcome.ensemble.is_some()),
        ("best, kept", SPECIAL, outcome.best.is_some()),
    ];
    let mut x = 80;
    for (name, colour, _) in entries.into_iter().filter(|entry| entry.2) {
        if name == "best, kept" {
            area.draw(&Circle::new((x + 14, 16), 7, colour.stroke_width(2)))?;
        } else {
            area.draw(&PathElement::new([(x, 16), (x + 28, 16)], colour.stroke_width(2)))?;
        }
        area.draw(&Text::new(name, (x + 36, 9), (FONT, 14)))?;
        x += 130;
    }
    Ok(())
}

/// One panel: `x` of each epoch, its name, and whether it is whole numbers.
fn panel(area: &Area<'_>, outcome: &Outcome, x: &[f64], name: &str, whole: bool) -> Drawn {
    let points = |loss: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        x.iter().enumerate().filter_map(|(i, &x)| Some((x, loss(i).filter(|loss| loss.is_finite())?))).collect()
    };
    let training = points(&|i| Some(outcome.epochs[i].loss));
    let held_out = points(&|i| outcome.epochs[i].valid.map(|valid| valid.loss));
    let ensemble = outcome.ensemble.map(|metrics| metrics.loss).filter(|loss| loss.is_finite());

    let losses = || training.iter().chain(&held_out).map(|point| point.1).chain(ensemble);
    let (low, high) = losses().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    // Room around, also where all losses are one.
    let room = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    let end = 1.04 * x.iter().fold(1e-9, |end: f64, &x| end.max(x));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..end, low - room..high + room)?;
    let (x_digits, y_digits) = (digits(end), digits(high - low + 2.0 * room));
    // Between two epochs there is no loss to read.
    let x_text = |x: &f64| if whole && x.fract() != 0.0 { String::new() } else { format!("{x:.*}", if whole { 0 } else { x_digits }) };
    chart
        .configure_mesh()
        .x_labels(8)
        .y_labels(8)
        .x_label_formatter(&x_text)
        .y_label_formatter(&|y| format!("{y:.y_digits$}"))
        .x_desc(name)
        .y_desc("mean loss")
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (points, colour) in [(&training, FIRST), (&held_out, SECOND)] {
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
    }
    if let Some(loss) = ensemble {
        chart.draw_series(LineSeries::new([(0.0, loss), (end, loss)], SPECIAL.stroke_width(2)))?;
    }
    let best = outcome.best.and_then(|best| x.get(best - 1)).and_then(|best| held_out.iter().find(|point| point.0 == *best));
    chart.draw_series(best.map(|&point| Circle::new(point, 7, SPECIAL.stroke_width(2))))?;
    Ok(())
}

/// Digits after the point that tell the labels of an axis of that length apart: eight at most, at steps of 1, 2 or 5 times a power of ten.
fn digits(length: f64) -> usize {
    (40.0 / length).log10().floor().clamp(0.0, 9.0) as usize
}
