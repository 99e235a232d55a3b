//! Every case of the registry against a mock of its own, each as a test of its own.

mod keeper;

use std::process::ExitCode;

use focus_contract::case::Case;
use focus_contract::cases;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::snapshot;
use focus_contract::target::Mock;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    snapshot::keep_with(keeper::insta);
    let trials = cases::all().map(|case| Trial::test(case.id, move || told(case))).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whatever the environment says: the mock, which offers everything.
fn told(case: &'static Case) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let manner = Manner::default();
    let told = runtime.block_on(tell(case, &Mock { seed: manner.seed }, manner));
    if !told.left_behind.is_empty() {
        return Err(format!("jobs could not be cleaned up: {}", told.left_behind.join(", ")).into());
    }
    match told.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed(failure) | Outcome::CouldNotRun(failure) => Err(failure.to_string().into()),
        Outcome::Skipped(reason) => Err(format!("nothing may be skipped on the mock: {reason}").into()),
    }
}
