//! Which quirks made a difference to an answer, for whoever asks afterwards why it is as it is.

use crate::api::rejection::Rejection;
use crate::domain::job::Terms;
use crate::domain::quirk::{Quirk, Quirks};
use crate::domain::refusal::Refusal;
use crate::sim::journal::Reason;

/// Quirks that show in the answer of a job, whatever was asked for.
const IN_ANSWERS: [Quirk; 4] = [
    Quirk::StatusEmpty,
    Quirk::ViewTypeStringResponse,
    Quirk::StreamPortString,
    Quirk::FrequencyBinsDecimated,
];

/// Why a job was created, and answered as it was.
pub(super) fn of_job(terms: &Terms) -> impl Iterator<Item = Reason> {
    let forgiven = terms.forgiven.iter();
    let forgiven = forgiven.map(|it| Reason::Quirk(it.quirk, Some(it.violation.to_string())));
    forgiven.chain(of_answer(terms))
}

/// Why the answer of a job is as it is.
pub(super) fn of_answer(terms: &Terms) -> impl Iterator<Item = Reason> {
    let shown = IN_ANSWERS.into_iter().filter(|quirk| terms.quirks.has(*quirk));
    shown.map(|quirk| Reason::Quirk(quirk, None))
}

/// Why a server with these quirks refused something, and told so as it did.
pub(super) fn of_rejection(rejection: &Rejection, quirks: Quirks) -> Vec<Reason> {
    let because: &[Quirk] = match rejection {
        Rejection::Refused(Refusal::Parser) => {
            &[Quirk::Parser500, Quirk::WaterfallMinimal500, Quirk::OneSidedWindow500]
        }
        Rejection::Refused(Refusal::ViewTypeNumber) => &[Quirk::ViewTypeIntRejected],
        Rejection::Refused(Refusal::LiveMetadataUnavailable) => &[Quirk::LiveMetadata404],
        Rejection::RouteMissing => &[Quirk::CancelNotImplemented, Quirk::TaskApiMissing],
        Rejection::Refused(refusal) if refusal.is_outage() => &[Quirk::SlowOutage, Quirk::BareErrorBody],
        Rejection::Refused(_)
        | Rejection::MalformedJson
        | Rejection::BodyTooLarge(_)
        | Rejection::NotFound
        | Rejection::MethodNotAllowed(_)
        | Rejection::TooManyRequests(_)
        | Rejection::Internal => &[Quirk::BareErrorBody],
    };
    because.iter().filter(|quirk| quirks.has(**quirk)).map(|quirk| Reason::Quirk(*quirk, None)).collect()
}
