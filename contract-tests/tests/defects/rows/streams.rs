//! Servers whose streams are not what their answers say.

use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use tonic::{Code, Status};

use crate::broken::{Defect, Spoil};
use crate::port::{Says, frame};

/// How many calls there were on a port whose range changes with them.
static CALLS: AtomicU8 = AtomicU8::new(0);

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "frames of another job",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Frames(|_, says| frame(says, |frame| frame.job_id = Some(4711))),
        says: "INV-FRAME: frame 0 of stream 0: job_id Some(4711) and not 1",
    },
    Defect {
        name: "frames of no job",
        case: "streams/grpc-validity",
        spoil: Spoil::Frames(|_, says| frame(says, |frame| frame.job_id = None)),
        says: "job_id None and not 1",
    },
    Defect {
        name: "rows are counted from 1",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Frames(|_, says| {
            frame(says, |frame| frame.row_index.iter_mut().for_each(|row| *row += 1))
        }),
        says: "the number of the first row is not what the contract says",
    },
    Defect {
        name: "a row is lost",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Frames(|number, says| {
            frame(says, |frame| frame.row_index.iter_mut().for_each(|row| *row += i32::from(number > 2)))
        }),
        says: "28, 29, 31, 32",
    },
    Defect {
        name: "live rows are an hour old",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Frames(|_, says| {
            frame(says, |frame| frame.timestamp_in_milis.iter_mut().for_each(|time| *time -= 3_600_000))
        }),
        says: "the clock shows",
    },
    Defect {
        name: "a shape that is not that of the rows",
        case: "streams/grpc-live-frames-views",
        spoil: Spoil::Frames(|_, says| frame(says, |frame| frame.data_shape_x += 1)),
        says: "data_shape_x 257 and not 256",
    },
    Defect {
        name: "a row is cut off",
        case: "streams/grpc-live-frames-views",
        spoil: Spoil::Frames(|number, says| {
            frame(says, |frame| {
                if number == 1 {
                    frame.main_data[0].truncate(100);
                }
            })
        }),
        says: "frame 1 of stream 0: a row of 100 bytes and not 1024",
    },
    Defect {
        name: "the second block of a row is another row",
        case: "streams/grpc-live-frames-large",
        spoil: Spoil::Frames(|number, says| {
            frame(says, |frame| frame.row_index.iter_mut().for_each(|row| *row += i32::from(number == 1)))
        }),
        says: "a further block of row Some(0) calls itself row 1",
    },
    Defect {
        name: "a value outside the range",
        case: "streams/grpc-validity",
        spoil: Spoil::Frames(|_, says| {
            frame(says, |frame| {
                let mut row = frame.main_data[0].to_vec();
                row[..4].copy_from_slice(&(frame.global_maximum + 1.0).to_le_bytes());
                frame.main_data[0] = Bytes::from(row);
            })
        }),
        says: "outside",
    },
    Defect {
        name: "a value that is no number",
        case: "streams/grpc-validity",
        spoil: Spoil::Frames(|_, says| {
            frame(says, |frame| {
                let mut row = frame.main_data[0].to_vec();
                row[..4].copy_from_slice(&f32::NAN.to_le_bytes());
                frame.main_data[0] = Bytes::from(row);
            })
        }),
        says: "value NaN outside",
    },
    Defect {
        name: "the range changes between frames",
        case: "streams/grpc-validity",
        spoil: Spoil::Frames(|number, says| {
            frame(says, |frame| frame.global_maximum += if number == 3 { 1.0 } else { 0.0 })
        }),
        says: "before it was",
    },
    Defect {
        name: "the range changes between calls",
        case: "streams/grpc-reconnect",
        spoil: Spoil::Frames(|number, says| {
            // Calls of this case come one after the other.
            let calls = CALLS.fetch_add(u8::from(number == 0), Ordering::Relaxed) + u8::from(number == 0);
            frame(says, |frame| frame.global_maximum += f32::from(calls))
        }),
        says: "the range of the values is not what the contract says",
    },
    Defect {
        name: "rows are repeated",
        case: "streams/grpc-validity",
        spoil: Spoil::Frames(|_, says| match says {
            Says::Frame(frame) => vec![Says::Frame(frame.clone()), Says::Frame(frame)],
            other => vec![other],
        }),
        says: "INV-FRAME: frame 1 of stream 0: row 0 after row Some(7)",
    },
    Defect {
        name: "every call counts its own rows",
        case: "streams/grpc-shared-rows",
        spoil: Spoil::Frames(|number, says| {
            frame(says, |frame| {
                let first = i32::try_from(number).unwrap_or(i32::MAX) * frame.data_shape_y;
                frame.row_index = (first..).take(frame.row_index.len()).collect();
            })
        }),
        says: "the number of different rows is not what the contract says",
    },
    Defect {
        name: "silent behind the first frame",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Silent,
        says: "neither a frame nor an end within 1 s on stream 0, after 1 frames",
    },
    Defect {
        name: "a live stream ends",
        case: "streams/grpc-live-frames",
        spoil: Spoil::Frames(
            |number, says| if number < 3 { vec![says] } else { vec![Says::End(Status::ok(""))] },
        ),
        says: "stream 0 ended after 3 frames: Ok",
    },
    Defect {
        name: "a recording ends too soon",
        case: "streams/grpc-historic-pacing",
        spoil: Spoil::Frames(
            |number, says| if number < 40 { vec![says] } else { vec![Says::End(Status::ok(""))] },
        ),
        says: "rows of each frame is not what the contract says",
    },
    Defect {
        name: "the last row is lost",
        case: "streams/grpc-historic-shared",
        spoil: Spoil::Frames(|number, says| match says {
            Says::Frame(_) if number == 4 => Vec::new(),
            other => vec![other],
        }),
        says: "rows are missing or doubled",
    },
    Defect {
        name: "a window that begins late",
        case: "streams/grpc-validity-historic",
        spoil: Spoil::Frames(|_, says| {
            frame(says, |frame| frame.timestamp_in_milis.iter_mut().for_each(|time| *time += 1))
        }),
        says: "the time of the first row is not what the contract says",
    },
    Defect {
        name: "the end is an error",
        case: "streams/grpc-historic-pacing",
        spoil: Spoil::Frames(|_, says| match says {
            Says::End(status) if status.code() == Code::Ok => {
                vec![Says::End(Status::out_of_range("end of recording"))]
            }
            other => vec![other],
        }),
        says: "the end of a call is not what the contract says",
    },
    Defect {
        name: "another text of a status",
        case: "streams/grpc-stream-id",
        spoil: Spoil::Frames(|_, says| match says {
            Says::End(status) => vec![Says::End(Status::new(status.code(), "no such stream"))],
            other => vec![other],
        }),
        says: "the end of a call is not what the contract says",
    },
    Defect {
        name: "another code of a status",
        case: "streams/grpc-stream-id",
        spoil: Spoil::Frames(|_, says| match says {
            Says::End(status) => vec![Says::End(Status::not_found(status.message().to_owned()))],
            other => vec![other],
        }),
        says: "the end of a call is not what the contract says",
    },
    Defect {
        name: "a port stays open",
        case: "streams/grpc-cancelled",
        spoil: Spoil::OnlyStreams,
        says: "of a cancelled job accepts connections",
    },
    Defect {
        name: "no health service",
        case: "streams/grpc-health",
        spoil: Spoil::OnlyStreams,
        says: "health of \"\":",
    },
    Defect {
        name: "no reflection",
        case: "streams/grpc-reflection",
        spoil: Spoil::OnlyStreams,
        says: "reflection:",
    },
];
