//! The picture: held-out loss by examples, a line for each number of workers; and the speed-up to expect by workers, beside the ideal.
use super::found::Found;
use crate::cli::plot::{Area, Drawn, FIRST, FONT, SECOND, SPECIAL, write_picture};
use plotters::prelude::*;
use std::path::Path;

const IDEAL: RGBColor = RGBColor(130, 130, 130);
const COLOURS: [RGBColor; 7] =
    [RGBColor(0, 0, 0), FIRST, SECOND, SPECIAL, RGBColor(190, 120, 20), RGBColor(130, 60, 160), RGBColor(0, 150, 160)];

pub fn write(path: &Path, found: &[Found]) -> anyhow::Result<()> {
    write_picture(path, (1000, 440), |area| {
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(500);
        losses(&left, found)?;
        speedups(&right, found)?;
        area.present()?;
        Ok(())
    })
}

/// A range with some room around.
fn around(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    (low - room, high + room)
}

fn losses(area: &Area<'_>, found: &[Found]) -> Drawn {
    let points = |found: &Found| -> Vec<(f64, f64)> {
        let examples = found.outcome.epochs.iter().scan(0.0, |sum, epoch| {
            *sum += epoch.examples as f64;
            Some(*sum)
        });
        examples.zip(found.losses()).collect()
    };
    // One that runs away would flatten all the others.
    let most = 2.0 * found[0].losses().into_iter().fold(0.0, f64::max);
    let lines: Vec<Vec<(f64, f64)>> = found.iter().map(points).collect();
    let (low, high) = around(lines.iter().flatten().map(|point| point.1.min(most)));
    let end = 1.04 * lines.iter().flatten().fold(1e-9, |end: f64, point| end.max(point.0));
    let mut chart = ChartBuilder::on(area)
        .caption("held-out loss by workers", (FONT, 18))
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..end, low..high)?;
    chart
        .configure_mesh()
        .x_labels(5)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.4}"))
        .x_desc("examples seen")
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (i, (found, points)) in found.iter().zip(lines).enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let seen = points.into_iter().filter(|point| point.1 <= most);
        let line = chart.draw_series(LineSeries::new(seen, colour.stroke_width(2)).point_size(3))?;
        line.label(found.workers.to_string()).legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().border_style(BLACK.mix(0.3)).background_style(WHITE).label_font((FONT, 14)).draw()?;
    Ok(())
}

fn speedups(area: &Area<'_>, found: &[Found]) -> Drawn {
    let of = |found: &Found| Some((found.workers as f64, found.roofline.as_ref()?.speedup()));
    let points: Vec<(f64, f64)> = found.iter().filter_map(of).filter(|point| point.1 > 0.0).collect();
    let most = points.iter().fold(1.0, |most: f64, point| most.max(point.0));
    let low = points.iter().fold(1.0, |low: f64, point| low.min(point.1));
    let workers: Vec<f64> = points.iter().map(|point| point.0).collect();
    let mut chart = ChartBuilder::on(area)
        .caption("speed-up to expect (a model), and ideal", (FONT, 18))
        .margin(10)
        .x_label_area_size(45)
        .y_label_area_size(60)
        .build_cartesian_2d((0.9..2.5 * most).log_scale().with_key_points(workers), (low / 1.6..1.3 * most).log_scale())?;
    chart
        .configure_mesh()
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y}"))
        .x_desc("workers")
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    chart.draw_series(LineSeries::new([(1.0, 1.0), (most, most)], IDEAL.stroke_width(1)))?;
    chart.draw_series(LineSeries::new(points.iter().copied(), FIRST.stroke_width(2)))?;
    for (point, of) in points.iter().zip(found) {
        chart.draw_series([Circle::new(*point, 4, FIRST.filled())])?;
        let name = of.roofline.as_ref().map_or("", |roofline| roofline.binds());
        chart.draw_series([Text::new(name, (point.0 * 0.92, point.1 / 1.22), (FONT, 12))])?;
    }
    Ok(())
}
