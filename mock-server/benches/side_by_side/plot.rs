//! Curves as text, with logarithms on both axes.
//!
//! Of our own: what draws text either has no logarithms and no more than one line that can be told from the others without
//! colours, or needs a page.

use std::fmt::Write;

use crate::curve::{Curve, thousands};

/// Lines from one power of ten to the next, and columns.
const LINES: f64 = 4.0;
const COLUMNS: f64 = 26.0;

/// Draws curves that have the same sizes and the same unit, each with a letter; a letter is a column further right than
/// the one before it, so that none hides another.
pub(crate) fn plot(curves: &[&Curve]) -> String {
    let points: Vec<Vec<(f64, f64)>> = curves.iter().map(|curve| curve.medians()).collect();
    let drawn = |point: &&(f64, f64)| point.1 > 0.0;
    let logs = || points.iter().flatten().filter(drawn).map(|(_, cost)| cost.log10());
    let low = logs().fold(f64::INFINITY, f64::min).floor();
    let high = logs().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0);
    let Some(curve) = curves.first().filter(|_| low.is_finite()) else { return String::new() };
    let first = curve.sizes[0].log10();
    let place = |(size, cost): (f64, f64), letter: usize| {
        let column = ((size.log10() - first) * COLUMNS).round() as usize + letter;
        (((high - cost.log10()) * LINES).round() as usize, column)
    };
    let (_, last) = place((*curve.sizes.last().unwrap_or(&1.0), 1.0), curves.len());
    let mut grid = vec![vec![' '; last + 1]; ((high - low) * LINES) as usize + 1];
    for (letter, points) in points.iter().enumerate() {
        for pair in points.windows(2).filter(|pair| pair.iter().all(|point| point.1 > 0.0)) {
            draw(&mut grid, place(pair[0], letter), place(pair[1], letter));
        }
    }
    for (letter, points) in points.iter().enumerate() {
        for point in points.iter().filter(drawn) {
            let (line, column) = place(*point, letter);
            grid[line][column] = name(letter);
        }
    }
    let mut text = String::new();
    for (number, line) in grid.iter().enumerate() {
        let label = if number % LINES as usize == 0 {
            let cost = thousands(10_f64.powf(high - number as f64 / LINES));
            format!("{cost:>7} {} ┤", curve.unit)
        } else {
            format!("{:>7} {:2} │", "", "")
        };
        let line: String = line.iter().collect();
        let _ = writeln!(text, "{}", format!("{label} {line}").trim_end());
    }
    let mut axis = String::new();
    for size in &curve.sizes {
        let (_, column) = place((*size, 1.0), 0);
        axis += &" ".repeat((column + 1).saturating_sub(axis.chars().count()));
        axis += &thousands(*size);
    }
    let _ = writeln!(text, "{:>10} └{}", "", "─".repeat(last + 2));
    let _ = writeln!(text, "{:>11}{axis} {}", "", curve.of);
    for (letter, curve) in curves.iter().enumerate() {
        let _ = writeln!(text, "{} {}", name(letter), curve.name);
    }
    text
}

fn name(letter: usize) -> char {
    char::from(b'A' + u8::try_from(letter % 26).unwrap_or(0))
}

/// Dots between two places.
fn draw(grid: &mut [Vec<char>], from: (usize, usize), to: (usize, usize)) {
    let steps = (to.1 - from.1).max(1);
    for step in (1..steps).filter(|step| step % 2 == 0) {
        let line = from.0 as f64 + (to.0 as f64 - from.0 as f64) * step as f64 / steps as f64;
        grid[line.round() as usize][from.1 + step] = '·';
    }
}
