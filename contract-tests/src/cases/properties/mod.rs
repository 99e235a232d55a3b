//! Properties: what holds for requests and sequences that are drawn.
//!
//! Everything drawn comes from the run's seed. What fails is made as small as it gets, and is told in a form that can be
//! sent again. A server that is no mock gets an eighth of the rounds.

mod jobs;
mod requests;

use crate::case::{Capability, Case, Tag};

pub(super) static CASES: &[Case] = &[
    Case {
        id: "properties/valid-accepted",
        claim: "whatever keeps the bounds is accepted in every form, and answered as the arithmetic has it",
        keys: &["PZ-13292", "PZ-13667", "PZ-13563"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "draw a valid configuration of any view, live or inside a recording, in an odd but legal form",
            "POST it, GET /metadata, DELETE it; again with the next one",
        ],
        expects: "200 with all invariants; every field equals the arithmetic; /metadata equals the answer",
        body: |story| Box::pin(requests::valid_accepted(story)),
    },
    Case {
        id: "properties/one-defect-refused",
        claim: "a request with one defect gets exactly the refusal of its check and leaves nothing behind",
        keys: &["PZ-13297", "PZ-13878", "PZ-13291", "PZ-13877", "PZ-13876"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["draw a valid configuration, spoil it so that one of checks 1 to 26 fails, POST it"],
        expects: "422 for shapes, 400 for values; exact code, detail and error; INV-REFUSE",
        body: |story| Box::pin(requests::one_defect_refused(story)),
    },
    Case {
        id: "properties/all-defects-told",
        claim: "several defects are all told, in the order of the checks",
        keys: &["PZ-13297", "PZ-13878", "PZ-13430"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["draw a valid configuration, spoil it in up to six ways, POST it"],
        expects: "every violation in order; 422 as soon as one concerns the shape, else 400; INV-REFUSE",
        body: |story| Box::pin(requests::all_defects_told(story)),
    },
    Case {
        id: "properties/no-json-refused",
        claim: "a body that is cut off or goes on behind its end is no JSON, whatever is in it",
        keys: &["PZ-13769", "PZ-14774"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["draw a valid configuration, cut it off anywhere or append something, POST it"],
        expects: "400 MALFORMED_JSON; INV-REFUSE",
        body: |story| Box::pin(requests::no_json_refused(story)),
    },
    Case {
        id: "properties/job-sequences",
        claim: "after every step of any sequence there are the jobs, ports, slots and objects that must be there",
        keys: &["PZ-13565", "PZ-13670", "PZ-13293", "PZ-13268"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock],
        steps: &[
            "draw a sequence of configures, refused ones, cancels, calls opened and left, and time that passes",
            "tell each step to the server and to a model written from the contract, and compare the two",
        ],
        expects: "the answers, INV-ID, -PORT, -SLOT, -SEQ, -GONE, -REFUSE, -OBJECTS, -META and -CAP at every step",
        body: |story| Box::pin(jobs::job_sequences(story)),
    },
    Case {
        id: "properties/troubled-sequences",
        claim: "outages and failures in the middle refuse what they must, change nothing else, and leave nothing behind",
        keys: &["PZ-13600", "PZ-13569", "PZ-13604", "PZ-13687"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc, Capability::Clock, Capability::Faults],
        steps: &[
            "draw a sequence as above, in which the fibre, MongoDB, RabbitMQ and the cluster fail and recover, and steps of \
             a job's creation fail",
            "tell each step to the server and to a model written from the contract, and compare the two",
        ],
        expects: "as above, with the refusals of the outages and steps; nothing belongs to no job at the end",
        body: |story| Box::pin(jobs::troubled_sequences(story)),
    },
];
