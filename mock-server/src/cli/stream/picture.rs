//! The newest rows of a stream as a small picture: place along the fibre from left to right, or frequency where there
//! is one channel only; time from top to bottom, the newest row last.

use std::collections::VecDeque;
use std::io::{self, Stdout, stdout};

use focus_proto::pandadatastream::DataStream;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::widgets::Widget;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::tally::{Tally, values};

/// Lines of the picture; each shows two rows of the stream, one in its upper and one in its lower half.
const LINES: u16 = 16;
/// Points across; a row is averaged down to these when it comes.
const POINTS: usize = 120;

/// The part of the terminal that the picture and two lines of numbers take.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    picture: Picture,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let options = TerminalOptions { viewport: Viewport::Inline(LINES + 2) };
        let terminal = Terminal::with_options(CrosstermBackend::new(stdout()), options)?;
        Ok(Self { terminal, picture: Picture::default() })
    }

    pub(super) fn add(&mut self, frame: &DataStream) {
        self.picture.add(frame);
    }

    pub(super) fn draw(&mut self, tally: &Tally) -> io::Result<()> {
        let [what, how_much] = tally.lines();
        let picture = &self.picture;
        self.terminal.draw(|screen| {
            let area = screen.area();
            let lines = area.height.saturating_sub(2);
            screen.render_widget(what, Rect { height: 1.min(area.height), ..area });
            screen.render_widget(picture, Rect { y: area.y + 1, height: lines, ..area });
            screen.render_widget(how_much, Rect { y: area.y + 1 + lines, height: 1, ..area });
        })?;
        Ok(())
    }

    /// Leaves the last picture where it is and the cursor below it.
    pub(super) fn close(mut self, tally: &Tally) -> io::Result<()> {
        self.draw(tally)?;
        self.terminal.show_cursor()?;
        println!();
        Ok(())
    }
}

/// Rows, the newest last, each a list of loudnesses from 0 to 1.
#[derive(Default)]
struct Picture {
    rows: VecDeque<Vec<f32>>,
}

impl Picture {
    fn add(&mut self, frame: &DataStream) {
        let channels = usize::try_from(frame.end_channel - frame.start_channel + 1).unwrap_or(1).max(1);
        let (low, high) = (frame.global_minimum, frame.global_maximum);
        for row in &frame.main_data {
            let values: Vec<f32> = values(row).collect();
            let each = (values.len() / channels).max(1);
            let along: Vec<f32> = if channels > 1 { values.chunks(each).map(mean).collect() } else { values };
            let loudness =
                |value: f32| ((value - low) / (high - low).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0).sqrt();
            self.rows.push_back(resample(&along, POINTS).into_iter().map(loudness).collect());
        }
        while self.rows.len() > usize::from(LINES) * 2 {
            self.rows.pop_front();
        }
    }

    fn at(&self, row: usize, point: usize, points: usize) -> Option<f32> {
        let row = self.rows.get(row)?;
        row.get(point * row.len() / points.max(1)).copied()
    }
}

#[allow(clippy::cast_precision_loss, reason = "lengths of rows are far below 2^24")]
fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// At most so many points, each the mean of those that fall together.
fn resample(values: &[f32], most: usize) -> Vec<f32> {
    let points = values.len().min(most);
    (0..points)
        .map(|point| mean(&values[point * values.len() / points..(point + 1) * values.len() / points]))
        .collect()
}

impl Widget for &Picture {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let points = usize::from(area.width).min(POINTS);
        let first = self.rows.len().saturating_sub(usize::from(area.height) * 2);
        for line in 0..area.height {
            for (x, point) in (area.x..).zip(0..points) {
                let row = first + usize::from(line) * 2;
                let (Some(cell), Some(upper)) =
                    (buffer.cell_mut((x, area.y + line)), self.at(row, point, points))
                else {
                    continue;
                };
                cell.set_char('▀').set_fg(color(upper));
                if let Some(lower) = self.at(row + 1, point, points) {
                    cell.set_bg(color(lower));
                }
            }
        }
    }
}

/// From dark to light by way of blue, violet and orange, in the 256 colours that every terminal has.
const COLORS: [u8; 16] = [16, 17, 18, 19, 54, 55, 91, 127, 163, 162, 197, 202, 208, 214, 220, 230];

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a loudness is from 0 to 1")]
fn color(loudness: f32) -> Color {
    let place = (loudness * COLORS.len() as f32) as usize;
    Color::Indexed(COLORS[place.min(COLORS.len() - 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(channels: i32, rows: &[&[f32]]) -> DataStream {
        let bytes = |row: &[f32]| row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into();
        DataStream {
            start_channel: 1,
            end_channel: channels,
            global_maximum: 100.0,
            main_data: rows.iter().map(|row| bytes(row)).collect(),
            ..DataStream::default()
        }
    }

    fn drawn(picture: &Picture, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        picture.render(area, &mut buffer);
        buffer
    }

    #[test]
    fn two_rows_share_a_line_and_the_newest_is_the_lowest() {
        let mut picture = Picture::default();
        picture.add(&frame(2, &[&[0.0, 100.0], &[100.0, 0.0]]));
        let buffer = drawn(&picture, 2, 1);
        let (left, right) = (&buffer[(0, 0)], &buffer[(1, 0)]);
        assert_eq!((left.symbol(), left.fg, left.bg), ("▀", color(0.0), color(1.0)));
        assert_eq!((right.fg, right.bg), (color(1.0), color(0.0)));
    }

    #[test]
    fn channels_are_averaged_over_their_frequencies_and_a_single_one_shows_them() {
        let mut picture = Picture::default();
        picture.add(&frame(2, &[&[0.0, 100.0, 25.0, 25.0]]));
        assert_eq!(picture.rows[0], [0.5_f32.sqrt(), 0.5]);
        picture.add(&frame(1, &[&[0.0, 100.0, 25.0, 0.0]]));
        assert_eq!(picture.rows[1], [0.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn old_rows_leave_at_the_top() {
        let mut picture = Picture::default();
        for row in 0..40_u8 {
            picture.add(&frame(1, &[&[f32::from(row)]]));
        }
        assert_eq!(picture.rows.len(), 32);
        let buffer = drawn(&picture, 1, 16);
        assert_eq!(buffer[(0, 15)].bg, color(0.39_f32.sqrt()));
        assert_eq!(buffer[(0, 0)].fg, color(0.08_f32.sqrt()));
        let low = drawn(&picture, 1, 1);
        assert_eq!((low[(0, 0)].fg, low[(0, 0)].bg), (color(0.38_f32.sqrt()), color(0.39_f32.sqrt())));
    }

    #[test]
    fn a_row_wider_than_the_picture_is_averaged_and_a_narrow_one_stretched() {
        let mut picture = Picture::default();
        picture.add(&frame(240, &[&[25.0; 240]]));
        assert_eq!(picture.rows[0], [0.5; 120]);
        let mut picture = Picture::default();
        picture.add(&frame(1, &[&[0.0, 100.0]]));
        let buffer = drawn(&picture, 4, 1);
        let colors: Vec<_> = (0..4).map(|x| buffer[(x, 0)].fg).collect();
        assert_eq!(colors, [color(0.0), color(0.0), color(1.0), color(1.0)]);
    }
}
