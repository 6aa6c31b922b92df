//! How far probabilities are what they say, as a table and as a picture: part of `eval`.
use super::plot::{Area, Drawn, FIRST, FONT, write_picture};
use anyhow::bail;
use hogwild::{Reliability, ReliabilityBin, Scored, TrainedModel};
use plotters::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// Bins where nothing is said.
pub const BINS: u32 = 15;

pub fn of(model: &TrainedModel, scored: &Scored, bins: u32) -> anyhow::Result<Reliability> {
    match Reliability::of(model.loss, scored, bins as usize) {
        Some(reliability) => Ok(reliability),
        None => bail!("--reliability: is of models that predict a probability a row, and this one does not"),
    }
}

/// A line a bin that has examples.
pub fn text(reliability: &Reliability) -> String {
    let line = |bin: &ReliabilityBin| {
        let ReliabilityBin { from, to, examples, predicted, observed } = bin;
        format!("{from:9.4} {to:9.4} {examples:11} {predicted:9.4} {observed:9.4}\n")
    };
    let head = format!("{:>9} {:>9} {:>11} {:>9} {:>9}\n", "from", "to", "examples", "predicted", "observed");
    reliability.bins.iter().filter(|bin| bin.examples > 0.0).map(line).fold(head, |text, line| text + &line)
}

pub fn json(reliability: &Reliability) -> Value {
    let one = |&ReliabilityBin { from, to, examples, predicted, observed }: &ReliabilityBin| json!({ "from": from, "to": to, "examples": examples, "predicted": predicted, "observed": observed });
    reliability.bins.iter().map(one).collect()
}

/// Writes the picture: a point a bin, the larger the more examples, beside the line of probabilities that are what they say.
pub fn draw(path: &Path, reliability: &Reliability) -> anyhow::Result<()> {
    write_picture(path, (520, 540), |area| picture(area, reliability))
}

fn picture(area: Area<'_>, reliability: &Reliability) -> Drawn {
    area.fill(&WHITE)?;
    let area = area.titled(&format!("calibration error {:.4}", reliability.error()), (FONT, 20))?;
    let mut chart =
        ChartBuilder::on(&area).margin(10).x_label_area_size(45).y_label_area_size(60).build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc("predicted probability")
        .y_desc("share that came")
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLACK.mix(0.4)))?;
    let bins: Vec<&ReliabilityBin> = reliability.bins.iter().filter(|bin| bin.examples > 0.0).collect();
    let most = bins.iter().map(|bin| bin.examples).fold(0.0, f64::max);
    chart.draw_series(LineSeries::new(bins.iter().map(|bin| (bin.predicted, bin.observed)), FIRST.stroke_width(2)))?;
    let size = |bin: &ReliabilityBin| 3 + (9.0 * (bin.examples / most).sqrt()) as i32;
    chart.draw_series(bins.iter().map(|bin| Circle::new((bin.predicted, bin.observed), size(bin), FIRST.filled())))?;
    area.present()?;
    Ok(())
}
