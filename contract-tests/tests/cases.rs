//! Every case against a mock of its own.

use focus_contract::{cases, target};

#[tokio::test]
async fn smoke_configure_stream_cancel() {
    let mock = target::Mock::start().expect("a mock");
    cases::smoke::configure_stream_cancel(&mock).await;
}
