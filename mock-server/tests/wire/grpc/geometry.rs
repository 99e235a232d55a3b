//! Shapes and sizes of frames: the worked cases of the contract, waterfalls, and rows that are too large for one message.

use focus_mock::sim::setup::Setup;
use prost::Message;
use serde_json::{Value, json};

use super::{Job, millis, reader, recorded, row_numbers, row_times};
use crate::common::{START, base, held, held_with, with};

/// A worked case: channels of each stream, values per row of the first one, rows in a frame.
struct Worked {
    name: &'static str,
    request: Value,
    groups: &'static [(i32, i32)],
    first_row_values: i32,
    rows: i32,
}

/// A request in the notation of the contract's table.
fn view(number: u8, channels: (u32, u32), nfft: u32, hertz: (u32, u32), duration: u32, height: u32) -> Value {
    json!({"view_type": number, "channels": {"min": channels.0, "max": channels.1}, "nfftSelection": nfft,
           "frequencyRange": {"min": hertz.0, "max": hertz.1}, "displayTimeAxisDuration": duration,
           "displayInfo": {"height": height}})
}

fn waterfall(channels: (u32, u32), height: u32) -> Value {
    json!({"view_type": "2", "channels": {"min": channels.0, "max": channels.1},
           "displayInfo": {"height": height}})
}

/// W1 to W10 of calculations.md; the last column follows from grpc.md 4.
fn worked() -> [Worked; 10] {
    let case = |name, request, groups, first_row_values, rows| Worked {
        name,
        request,
        groups,
        first_row_values,
        rows,
    };
    let golden = recorded(view(0, (1, 50), 1024, (0, 500), 300, 600), 7200);
    let eight = view(0, (1, 8), 512, (0, 500), 30, 768);
    let above_zero = view(0, (1, 10), 1024, (100, 300), 30, 200);
    let ten = view(0, (11, 20), 512, (0, 250), 5, 400);
    let full = view(0, (11, 109), 1024, (0, 1000), 30, 200);
    let one_bin = view(0, (7, 8), 128, (200, 201), 10, 1000);
    let most = view(0, (1, 2222), 1024, (0, 500), 10, 1000);
    let fine = view(0, (1, 20), 4096, (0, 100), 60, 800);
    [
        case("W1", golden, &[(1, 17), (18, 34), (35, 50)], 4352, 1),
        case("W2", eight, &[(1, 3), (4, 6), (7, 8)], 384, 3),
        case("W3", view(1, (7, 7), 1024, (0, 500), 10, 1000), &[(7, 7)], 256, 10),
        case("W4", waterfall((1, 10), 256), &[(1, 10)], 10, 1),
        case("W5", above_zero, &[(1, 4), (5, 7), (8, 10)], 408, 1),
        case("W6", ten, &[(11, 14), (15, 17), (18, 20)], 256, 8),
        case("W7", full, &[(11, 43), (44, 76), (77, 109)], 16_896, 1),
        case("W8", one_bin, &[(7, 7), (8, 8)], 1, 10),
        case("W9", most, &[(1, 741), (742, 1482), (1483, 2222)], 189_696, 10),
        case("W10", fine, &[(1, 7), (8, 14), (15, 20)], 1428, 2),
    ]
}

#[tokio::test]
async fn every_stream_of_the_worked_cases_sends_its_block_in_the_documented_shape() {
    let server = held();
    for Worked { name, request, groups, first_row_values, rows } in worked() {
        let job = Job::start(&server, &request).await;
        assert_eq!(usize::try_from(job.streams()).expect("few"), groups.len(), "streams of {name}");
        for (stream, group) in (0..).zip(groups) {
            let mut call = job.call(stream).await;
            let mut frames = vec![call.frame().await];
            server.simulation().advance(millis(1000));
            frames.push(call.frame().await);
            assert_eq!((frames[0].start_channel, frames[0].end_channel), *group, "{name}, stream {stream}");
            assert_eq!(frames[0].data_shape_y, rows, "rows in a frame of {name}");
            for frame in &frames {
                reader::check(&job, stream, frame);
            }
            if stream == 0 {
                assert_eq!(frames[0].data_shape_x, first_row_values, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_waterfall_sends_one_amplitude_for_every_channel_live_and_recorded() {
    let server = held();
    for request in [waterfall((1, 2222), 256), recorded(waterfall((100, 163), 256), 4000)] {
        let job = Job::start(&server, &request).await;
        assert_eq!((job.streams(), &job.answer["frequencies_amount"]), (1, &json!(0)));
        let mut call = job.call(0).await;
        let mut frames = vec![call.frame().await];
        for _ in 1..8 {
            server.simulation().advance(millis(100));
            frames.push(call.frame().await);
        }
        reader::check_sequence(&job, 0, &frames);
        let (first, last) = job.group(0);
        assert_eq!(frames[0].data_shape_x, last - first + 1);
    }
}

#[tokio::test]
async fn a_frame_has_fewer_rows_when_they_would_not_fit_the_limit() {
    let server = held_with(Setup { max_frame_bytes: 131_072, ..Setup::default() });
    // 17 channels of 256 values are 17408 bytes: seven rows fit, ten are wanted.
    let job = Job::start(&server, &base()).await;
    let mut call = job.call(0).await;
    let mut frames = vec![call.frame().await];
    for _ in 0..4 {
        server.simulation().advance(millis(100));
        frames.push(call.frame().await);
    }
    reader::check_sequence(&job, 0, &frames);
    assert!(frames.iter().all(|frame| frame.data_shape_y == 7 && frame.encoded_len() <= 131_072));
}

#[tokio::test]
async fn a_row_above_the_limit_leaves_in_consecutive_blocks_of_channels_with_one_number() {
    let server = held_with(Setup { max_frame_bytes: 131_072 + 256, ..Setup::default() });
    let whole_server = held();
    for request in [base(), recorded(base(), 2000)] {
        let request = with(request, &json!({"channels": {"min": 1, "max": 2222}}));
        let job = Job::start(&server, &request).await;
        // The same rows from a server without a need to cut them.
        let whole = Job::start(&whole_server, &request).await.call(1).await.frame().await;
        let mut call = job.call(1).await;
        for row in 0..3 {
            // 741 channels of 1024 bytes: 128 fit.
            let blocks = call.frames(6).await;
            blocks.iter().for_each(|block| reader::check_part(&job, 1, block));
            assert_eq!(row_numbers(&blocks), [row; 6]);
            assert!(row_times(&blocks).windows(2).all(|pair| pair[0] == pair[1]), "one row, one time");
            let ends: Vec<_> = blocks.iter().map(|block| (block.start_channel, block.end_channel)).collect();
            let expected = [742, 870, 998, 1126, 1254, 1382].map(|first| (first, (first + 127).min(1482)));
            assert_eq!(ends, expected, "the blocks cover the group in order");
            if row == 0 {
                let parts: Vec<u8> = blocks.iter().flat_map(|block| block.main_data[0].to_vec()).collect();
                assert!(parts == whole.main_data[0], "the parts are the row");
            }
            server.simulation().advance(millis(100));
        }
    }
}

#[tokio::test]
async fn a_row_of_ninety_megabytes_reaches_a_client_that_takes_fifty_at_once() {
    let server = held();
    // 741 channels of 32768 values of 4 bytes; 128 channels are 16 MiB, one less leaves room for the rest of a frame.
    let job = Job::start(&server, &view(0, (1, 2222), 65_536, (0, 1000), 10, 100)).await;
    let mut call = job.call(0).await;
    let mut next = 1;
    for number in 0..6 {
        let block = call.frame().await;
        assert_eq!((block.start_channel, block.end_channel), (next, (next + 126).min(741)));
        let bytes: usize = block.main_data.iter().map(|row| row.len()).sum();
        assert!(bytes <= 16 << 20, "{bytes} bytes of data");
        assert_eq!((&block.row_index[..], block.timestamp_in_milis[0]), (&[0][..], START * 1000));
        if number == 5 {
            reader::check_part(&job, 0, &block);
        }
        next = block.end_channel + 1;
    }
    assert_eq!(next, 742, "the blocks cover the group");
}

#[tokio::test]
async fn no_message_is_larger_than_the_frame_limit() {
    // Data of exactly the limit: a block of 128 channels, and rows that divide it.
    for (limit, request) in [
        (131_072, with(base(), &json!({"channels": {"min": 1, "max": 2222}}))),
        (65_536, view(1, (7, 7), 16_384, (0, 1000), 1, 1000)),
    ] {
        let server = held_with(Setup { max_frame_bytes: limit, ..Setup::default() });
        let job = Job::start(&server, &request).await;
        let frame = job.call(0).await.frame().await;
        reader::check_part(&job, 0, &frame);
        let length = frame.encoded_len();
        assert!(length <= limit, "a message of {length} bytes with a limit of {limit}");
    }
}
