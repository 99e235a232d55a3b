//! Plots as SVG within the page: their colours are those of its style, so that they follow light, dark and print.

use std::fmt::Write as _;

use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 270.0;
/// Room for labels: left, top, right, bottom.
const ROOM: (f64, f64, f64, f64) = (66.0, 38.0, 16.0, 42.0);

/// A line of points.
pub(crate) struct Line<'a> {
    /// Its class in the style, which gives the colour.
    pub(crate) class: &'static str,
    pub(crate) name: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A mark across the plot, with what it says.
pub(crate) enum Mark {
    /// At a height.
    Across(f64, String),
    /// At a place.
    Upright(f64, String, &'static str),
}

/// A plot.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_name: &'a str,
    pub(crate) unit: &'a str,
    /// The highest value that must fit.
    pub(crate) at_least: f64,
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) marks: Vec<Mark>,
}

impl Plot<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let marked = self.marks.iter().filter_map(|mark| match mark {
            Mark::Upright(x, ..) => Some(*x),
            Mark::Across(..) => None,
        });
        let x_end = nice(points().map(|(x, _)| *x).chain(marked).fold(1.0, f64::max));
        let y_end = nice(points().map(|(_, y)| *y).fold(self.at_least, f64::max));
        let (left, top, right, bottom) = ROOM;
        let (x_axis, y_axis) = (HEIGHT - bottom, left);
        let x = |value: f64| left + value / x_end * (WIDTH - left - right);
        let y = |value: f64| x_axis - value / y_end * (x_axis - top);
        html! {
            figure {
                figcaption {
                    (self.title)
                    @for line in &self.lines { span.key { span class=(format!("swatch {}", line.class)) {} (line.name) } }
                }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.title) {
                    @for value in ticks(y_end) {
                        line.grid x1=(at(y_axis)) x2=(at(WIDTH - right)) y1=(at(y(value))) y2=(at(y(value))) {}
                        text.label x=(at(y_axis - 6.0)) y=(at(y(value) + 4.0)) text-anchor="end" { (number(value)) (self.unit) }
                    }
                    @for value in ticks(x_end) {
                        text.label x=(at(x(value))) y=(at(x_axis + 17.0)) text-anchor="middle" { (number(value)) }
                    }
                    text.label x=(at(WIDTH - right)) y=(at(HEIGHT - 4.0)) text-anchor="end" { (self.x_name) }
                    line.axis x1=(at(y_axis)) x2=(at(WIDTH - right)) y1=(at(x_axis)) y2=(at(x_axis)) {}
                    @if points().next().is_none() {
                        text.label.said x=(at(f64::midpoint(y_axis, WIDTH - right))) y=(at(f64::midpoint(x_axis, top))) text-anchor="middle" { "nothing was measured" }
                    }
                    @for line in &self.lines {
                        path class=(format!("line {}", line.class)) d=(path(&line.points, &x, &y)) {}
                        // A run of an hour has thousands of samples; dots are for levels.
                        @if line.points.len() <= 24 {
                            @for (px, py) in &line.points {
                                circle class=(format!("dot {}", line.class)) cx=(at(x(*px))) cy=(at(y(*py))) r="3.5" {
                                    title { (line.name) ": " (number(*py)) (self.unit) " at " (number(*px)) }
                                }
                            }
                        }
                    }
                    @for mark in &self.marks { (draw_mark(mark, &x, &y, (y_axis, WIDTH - right), (top, x_axis), y_end)) }
                }
            }
        }
    }
}

type Scale<'a> = &'a dyn Fn(f64) -> f64;

fn draw_mark(
    mark: &Mark,
    x: Scale<'_>,
    y: Scale<'_>,
    wide: (f64, f64),
    high: (f64, f64),
    y_end: f64,
) -> Markup {
    match mark {
        Mark::Across(value, text) if *value <= y_end => html! {
            line.mark x1=(at(wide.0)) x2=(at(wide.1)) y1=(at(y(*value))) y2=(at(y(*value))) {}
            text.label.said x=(at(wide.0 + 4.0)) y=(at(y(*value) - 4.0)) { (text) }
        },
        Mark::Across(..) => html! {},
        Mark::Upright(value, text, class) => {
            let px = x(*value);
            // Beyond the middle the words stand on the left, so that they stay within the plot.
            let (anchor, beside) =
                if px > f64::midpoint(wide.0, wide.1) { ("end", -5.0) } else { ("start", 5.0) };
            // Above the plot, each in a row of its own, where no line runs through the words.
            let row = if *class == "breaking" { -6.0 } else { -22.0 };
            html! {
                line class=(format!("mark {class}")) x1=(at(px)) x2=(at(px)) y1=(at(high.0 + row)) y2=(at(high.1)) {}
                text class=(format!("label said {class}")) x=(at(px + beside)) y=(at(high.0 + row + 2.0)) text-anchor=(anchor) { (text) }
            }
        }
    }
}

fn path(points: &[(f64, f64)], x: Scale<'_>, y: Scale<'_>) -> String {
    let mut path = String::new();
    for (place, (px, py)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {} ", if place == 0 { 'M' } else { 'L' }, at(x(*px)), at(y(*py)));
    }
    path
}

/// The next number of which a fifth is round, so that the ticks are.
fn nice(most: f64) -> f64 {
    let power = 10f64.powf(most.log10().floor());
    [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|end| *end >= most - 1e-9)
        .unwrap_or(most)
}

fn ticks(end: f64) -> [f64; 6] {
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|share| share * end)
}

fn number(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}")
}

fn at(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_that_holds_the_highest() {
        for (most, end) in
            [(1.0, 1.0), (1.1, 1.5), (100.0, 100.0), (200.0, 200.0), (201.0, 250.0), (0.31, 0.4), (7.0, 8.0)]
        {
            assert!((nice(most) - end).abs() < 1e-9, "{most}: {}", nice(most));
        }
    }

    #[test]
    fn what_is_twice_as_much_is_twice_as_high() {
        let plot = Plot {
            title: "t",
            x_name: "x",
            unit: "",
            at_least: 100.0,
            lines: vec![Line {
                class: "a",
                name: "a",
                points: vec![(0.0, 0.0), (50.0, 50.0), (100.0, 100.0)],
            }],
            marks: vec![Mark::Across(1e9, String::from("far above"))],
        };
        let drawn = plot.draw().into_string();
        assert!(drawn.contains("d=\"M66.0 228.0 L345.0 133.0 L624.0 38.0 \""), "{drawn}");
        assert!(!drawn.contains("far above"), "a mark beyond the plot is left out");
        assert!(!drawn.contains("nothing was measured"));
        let empty = Plot { lines: vec![Line { class: "a", name: "a", points: Vec::new() }], ..plot };
        assert!(empty.draw().into_string().contains("nothing was measured"));
    }
}
