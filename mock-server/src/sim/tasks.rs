//! Tasks in the world: configured, polled, forgotten.

use crate::domain::check_task::{self, TaskDraft};
use crate::domain::fiber::{Channel, ChannelRange};
use crate::domain::refusal::Refusal;
use crate::domain::task::{Task, TaskId, WaterfallReply};
use crate::domain::time::Moment;

use super::frames::{MAXIMUM, MINIMUM, values};
use super::simulation::Simulation;
use super::world::World;

/// Rows of a task, ready to be written out.
#[derive(Clone, Debug, PartialEq)]
pub struct WaterfallRows {
    /// The lowest sensor; the values of a row belong to it and those after it.
    pub first_sensor: u32,
    /// The rows.
    pub rows: Vec<WaterfallRow>,
    /// No value of the task is above this.
    pub maximum: f32,
    /// No value of the task is below this.
    pub minimum: f32,
}

/// One row of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct WaterfallRow {
    /// Begin, epoch milliseconds.
    pub start: i64,
    /// End, epoch milliseconds.
    pub end: i64,
    /// One amplitude per sensor.
    pub amplitudes: Vec<f32>,
}

/// What a poll of a task answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Poll {
    /// Its analyzer has exited.
    Exited,
    /// Nothing yet.
    NoData,
    /// Rows.
    Rows(WaterfallRows),
}

/// Tasks that are known at a time; one more forgets the one that was polled longest ago.
const MOST_TASKS: usize = 1024;

impl World {
    fn forget_tasks(&mut self, now: Moment) {
        self.tasks.retain(|_, task| !task.is_forgotten(now));
    }

    /// How many sensors there are, from sensor 0.
    #[must_use]
    pub fn sensors(&self) -> u32 {
        self.fiber.number_of_channels
    }

    /// Configures a task; one of the same name is replaced.
    ///
    /// # Errors
    /// All violations of the request.
    pub fn configure_task(&mut self, id: &str, draft: &TaskDraft, now: Moment) -> Result<TaskId, Refusal> {
        self.forget_tasks(now);
        let last_sensor = self.sensors().saturating_sub(1);
        let (id, config) = check_task::task(id, draft, last_sensor).map_err(Refusal::Invalid)?;
        if self.tasks.len() >= MOST_TASKS && !self.tasks.contains_key(&id) {
            let oldest = self.tasks.iter().min_by_key(|(_, task)| task.last_poll()).map(|(id, _)| id.clone());
            self.tasks.retain(|id, _| Some(id) != oldest.as_ref());
        }
        self.tasks.insert(id.clone(), Task::new(config, self.setup.times.playback_speed, now));
        Ok(id)
    }

    /// Whether a task has data, `None` when it is not known.
    pub fn task_has_data(&mut self, id: &str, now: Moment) -> Option<bool> {
        self.forget_tasks(now);
        self.tasks.get(&TaskId::new(id)?).map(|task| task.has_data(now))
    }

    fn poll_task(
        &mut self,
        id: &str,
        rows: u64,
        now: Moment,
    ) -> Option<(TaskId, (u32, u32), WaterfallReply)> {
        self.forget_tasks(now);
        let id = TaskId::new(id)?;
        let task = self.tasks.get_mut(&id)?;
        let reply = task.poll(rows, now);
        Some((id, task.config().sensors(), reply))
    }
}

impl Simulation {
    /// Asks a task for its next rows, at most so many.
    ///
    /// # Errors
    /// `UnknownTask`.
    pub fn poll_task(&self, id: &str, rows: u64) -> Result<Poll, Refusal> {
        let polled = self.with(|world, now| world.poll_task(id, rows, now));
        let (id, (lowest, highest), reply) = polled.ok_or(Refusal::UnknownTask)?;
        let (first, times) = match reply {
            WaterfallReply::Exited => return Ok(Poll::Exited),
            WaterfallReply::NoData => return Ok(Poll::NoData),
            WaterfallReply::Rows { first, times } => (first, times),
        };
        // Sensors count from 0, channels from 1; the numbers are those of the same place on the fibre.
        let channel = |sensor: u32| Channel(i64::from(sensor) + 1);
        let channels = ChannelRange::between(channel(lowest), channel(highest));
        let seed = self.seed().task(id.as_str());
        let row = |(number, (start, end)): (u64, (i64, i64))| WaterfallRow {
            start,
            end,
            amplitudes: values(&self.frames().row(seed, number, channels, 1)).collect(),
        };
        Ok(Poll::Rows(WaterfallRows {
            first_sensor: lowest,
            rows: (first..).zip(times).map(row).collect(),
            maximum: MAXIMUM,
            minimum: MINIMUM,
        }))
    }
}
