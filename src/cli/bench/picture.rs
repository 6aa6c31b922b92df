//! The picture: throughput by threads of each set, beside one thread's times as many and the machine's limits. Both axes are logarithmic,
//! as limits may be ten times as far: what scales ideally is a straight line.
use super::report::Report;
use crate::cli::plot::{Area, Drawn, FIRST, FONT, SECOND, SPECIAL, write_picture};
use plotters::prelude::*;
use std::path::Path;

const IDEAL: RGBColor = RGBColor(130, 130, 130);
const LINES: RGBColor = RGBColor(190, 120, 20);
const WIDTH: u32 = 500;
const HEIGHT: u32 = 400;

pub fn write(path: &Path, found: &[Report]) -> anyhow::Result<()> {
    let columns = found.len().clamp(1, 2);
    let rows = found.len().div_ceil(columns);
    write_picture(path, (columns as u32 * WIDTH, rows as u32 * HEIGHT + 10), |area| {
        area.fill(&WHITE)?;
        for (area, found) in area.split_evenly((rows, columns)).iter().zip(found) {
            panel(area, found)?;
        }
        area.present()?;
        Ok(())
    })
}

/// A line of the picture: its name, colour and points, and whether it was measured on the trainer.
type Line = (&'static str, RGBColor, Vec<(f64, f64)>, bool);

/// Millions of nonzeros a second.
fn lines(found: &Report) -> Vec<Line> {
    let rate = |seconds: f64| found.work.nonzeros as f64 / seconds / 1e6;
    // One thread belongs to all of them.
    let variants = |keep: &dyn Fn(bool) -> bool| -> Vec<(f64, f64)> {
        let kept = found.timings.iter().filter(|timing| timing.variant.threads == 1 || keep(timing.variant.hot));
        kept.map(|timing| (timing.variant.threads as f64, rate(timing.seconds))).collect()
    };
    let limit = |which: usize| -> Vec<(f64, f64)> {
        let limits = found.rates.iter().map(|rates| (rates.threads as f64, found.work.limits(rates)[which].seconds));
        limits.filter(|point| point.1 > 0.0).map(|(threads, seconds)| (threads, rate(seconds))).collect()
    };
    let ideal = found.rates.iter().map(|rates| (rates.threads as f64, rates.threads as f64 * rate(found.timings[0].seconds)));
    let hot = found.timings.iter().any(|timing| timing.variant.hot);
    vec![
        ("limit: streaming", SPECIAL, limit(0), false),
        ("limit: random lines", LINES, limit(1), false),
        ("ideal", IDEAL, ideal.collect(), false),
        ("with hot rows", FIRST, if hot { variants(&|hot| hot) } else { Vec::new() }, true),
        (if hot { "plain Hogwild!" } else { "trained" }, SECOND, variants(&|hot| !hot), true),
    ]
}

fn panel(area: &Area<'_>, found: &Report) -> Drawn {
    let lines: Vec<Line> = lines(found).into_iter().filter(|line| !line.2.is_empty()).collect();
    let area = area.titled(&format!("{}, M {}s/s", found.name, found.unit()), (FONT, 18))?;
    let (above, below) = area.split_vertically(20 * lines.len().div_ceil(3) as u32);
    legend(&above, &lines)?;
    let threads: Vec<f64> = found.rates.iter().map(|rates| rates.threads as f64).collect();
    let most = threads.iter().fold(1.0, |most: f64, &threads| most.max(threads));
    let rates = || lines.iter().flat_map(|line| &line.2).map(|point| point.1);
    let (low, high) = rates().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), rate| (low.min(rate), high.max(rate)));
    let mut chart = ChartBuilder::on(&below).margin(10).x_label_area_size(40).y_label_area_size(60).build_cartesian_2d(
        (0.9..1.1 * most).log_scale().with_key_points(threads),
        (low / 1.3..high * 1.3).log_scale().with_key_points(steps(low / 1.3, high * 1.3)),
    )?;
    chart
        .configure_mesh()
        .x_desc("threads")
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| y.to_string())
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (_, colour, points, measured) in &lines {
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(if *measured { 2 } else { 1 })))?;
        let size = if *measured { 4 } else { 2 };
        chart.draw_series(points.iter().map(|&point| Circle::new(point, size, colour.filled())))?;
    }
    Ok(())
}

/// Three names a row.
fn legend(area: &Area<'_>, lines: &[Line]) -> Drawn {
    for (i, (name, colour, _, measured)) in lines.iter().enumerate() {
        let (x, y) = (20 + 160 * (i as i32 % 3), 20 * (i as i32 / 3));
        area.draw(&PathElement::new([(x, y + 10), (x + 20, y + 10)], colour.stroke_width(if *measured { 3 } else { 1 })))?;
        area.draw(&Text::new(*name, (x + 26, y + 3), (FONT, 13)))?;
    }
    Ok(())
}

/// Numbers to write on an axis: 1, 2 and 5 times powers of ten.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    powers.flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power))).filter(|step| (low..high).contains(step)).collect()
}
