//! Where something can go wrong: a closed list, with a line about each place.

use std::fmt;
use std::str::FromStr;

use crate::sim::cluster::Object;

macro_rules! places {
    ($(#[doc = $about:literal])+ $kind:ident { $(#[doc = $doc:literal] $variant:ident = $name:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $(#[doc = $doc] $variant,)+
        }

        impl $kind {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, as rules have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// A line about it.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc.trim_ascii(),)+
                }
            }
        }
    };
}

places! {
    /// A step of a reservation, in the order in which they are taken.
    Step {
        /// The lowest free slot.
        Slot = "slot",
        /// The port of the slot, in the simulated cluster and on this machine.
        Port = "port",
        /// The Job `grpc-job-<id>` with its pod and GPU share.
        GrpcJob = "grpc-job",
        /// The Job `cleanup-job-<id>` with its pod.
        CleanupJob = "cleanup-job",
        /// The Service `grpc-service-<id>`.
        Service = "service",
        /// The queue `focus_baby.<id>`.
        Queue = "queue",
        /// The entry in the job table.
        Commit = "commit",
    }
}

impl Step {
    /// The step that creates an object.
    #[must_use]
    pub fn of(object: Object) -> Self {
        match object {
            Object::GrpcJob => Self::GrpcJob,
            Object::CleanupJob => Self::CleanupJob,
            Object::Service => Self::Service,
            Object::Queue => Self::Queue,
        }
    }
}

places! {
    /// The undo of a step, when a later one failed. One that fails leaves its resource behind, as a leak.
    GiveBack {
        /// The slot goes back to the free ones.
        Slot = "slot",
        /// The port is let go.
        Port = "port",
        /// The Job `grpc-job-<id>` is deleted, with its pod and GPU share.
        GrpcJob = "grpc-job",
        /// The Job `cleanup-job-<id>` is deleted, with its pod.
        CleanupJob = "cleanup-job",
        /// The Service `grpc-service-<id>` is deleted.
        Service = "service",
        /// The queue `focus_baby.<id>` is deleted.
        Queue = "queue",
    }
}

impl GiveBack {
    /// The undo of an object's creation.
    #[must_use]
    pub fn of(object: Object) -> Self {
        match object {
            Object::GrpcJob => Self::GrpcJob,
            Object::CleanupJob => Self::CleanupJob,
            Object::Service => Self::Service,
            Object::Queue => Self::Queue,
        }
    }
}

places! {
    /// A route of the REST interface.
    Route {
        /// `GET /ack`
        Ack = "ack",
        /// `GET /channels`
        Channels = "channels",
        /// `GET /live_metadata`
        LiveMetadata = "live-metadata",
        /// `POST /configure`
        Configure = "configure",
        /// `GET /metadata/{job_id}`
        Metadata = "metadata",
        /// `DELETE /job/{job_id}`
        Cancel = "cancel",
        /// `POST /recordings_in_time_range`
        Recordings = "recordings",
        /// `GET /get_recordings_timeline`
        Timeline = "timeline",
        /// `GET /sensors`
        Sensors = "sensors",
        /// `POST /config/{task_id}`
        TaskConfig = "task-config",
        /// `GET /waterfall/{task_id}/{row_count}`
        Waterfall = "waterfall",
        /// `GET /openapi.json`
        OpenApi = "openapi",
        /// `GET /docs`
        Docs = "docs",
        /// Whatever has no route, and known routes asked with a method they do not have
        Unrouted = "unrouted",
    }
}

impl Route {
    /// Whether its requests have a body that says what is asked for.
    #[must_use]
    pub fn has_body(self) -> bool {
        match self {
            Self::Configure | Self::Recordings | Self::TaskConfig => true,
            Self::Ack
            | Self::Channels
            | Self::LiveMetadata
            | Self::Metadata
            | Self::Cancel
            | Self::Timeline
            | Self::Sensors
            | Self::Waterfall
            | Self::OpenApi
            | Self::Docs
            | Self::Unrouted => false,
        }
    }
}

places! {
    /// A route of the Kubernetes API: what is asked of whatever object.
    KubeRoute {
        /// `/version`, `/healthz`, `/api` and everything else that says what there is
        Discovery = "kube.discovery",
        /// `GET` of one object
        Get = "kube.get",
        /// `GET` of several
        List = "kube.list",
        /// `GET` of several with `watch=true`
        Watch = "kube.watch",
        /// `POST` of an object
        Create = "kube.create",
        /// `PUT` of an object or its scale
        Update = "kube.update",
        /// `PATCH` of an object or its scale
        Patch = "kube.patch",
        /// `DELETE` of an object
        Delete = "kube.delete",
        /// `GET` of a pod's log
        Log = "kube.log",
        /// `GET` of metrics of pods and nodes
        Metrics = "kube.metrics",
        /// Whatever the Kubernetes API does not serve
        Unrouted = "kube.unrouted",
    }
}

/// A route of any interface that takes requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyRoute {
    /// Of the REST interface.
    Rest(Route),
    /// Of the Kubernetes API.
    Kube(KubeRoute),
}

impl AnyRoute {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let rest = Route::ALL.iter().copied().map(Self::Rest);
        rest.chain(KubeRoute::ALL.iter().copied().map(Self::Kube))
    }

    /// Its name, as rules have it. No two routes share one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rest(route) => route.name(),
            Self::Kube(route) => route.name(),
        }
    }

    /// The point of that phase of its answers.
    #[must_use]
    pub fn at(self, phase: Phase) -> Point {
        match self {
            Self::Rest(route) => Point::Rest(route, phase),
            Self::Kube(route) => Point::Kube(route, phase),
        }
    }
}

impl From<Route> for AnyRoute {
    fn from(route: Route) -> Self {
        Self::Rest(route)
    }
}

impl From<KubeRoute> for AnyRoute {
    fn from(route: KubeRoute) -> Self {
        Self::Kube(route)
    }
}

places! {
    /// How far an answer is.
    Phase {
        /// Before anything is done about the request: the world does not hear of it unless it passes.
        Before = "before",
        /// The request was served; its status line and headers are about to leave.
        Headers = "headers",
        /// The headers have left; the body is about to.
        Body = "body",
    }
}

places! {
    /// How far a call on a stream is.
    StreamPoint {
        /// Before the first frame, and before the world hears of the call.
        Open = "open",
        /// Before each frame leaves; frames of a call are numbered from 0.
        Frame = "frame",
        /// When the server is about to end the call.
        End = "end",
    }
}

/// A place where something can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A step of a reservation.
    Step(Step),
    /// The undo of one.
    Undo(GiveBack),
    /// The answer of a REST route.
    Rest(Route, Phase),
    /// A call on a stream of a job.
    Grpc(StreamPoint),
    /// The answer of a route of the Kubernetes API.
    Kube(KubeRoute, Phase),
}

impl Point {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let rest = Route::ALL
            .iter()
            .flat_map(|route| Phase::ALL.iter().map(move |phase| Self::Rest(*route, *phase)));
        let kube = KubeRoute::ALL
            .iter()
            .flat_map(|route| Phase::ALL.iter().map(move |phase| Self::Kube(*route, *phase)));
        let steps = Step::ALL.iter().copied().map(Self::Step);
        let undos = GiveBack::ALL.iter().copied().map(Self::Undo);
        let grpc = StreamPoint::ALL.iter().copied().map(Self::Grpc);
        steps.chain(undos).chain(rest).chain(grpc).chain(kube)
    }

    /// A line about it.
    #[must_use]
    pub fn doc(self) -> String {
        match self {
            Self::Step(step) => format!("Taking a job's resources: {}", step.doc()),
            Self::Undo(undo) => format!("Undoing a failed reservation: {}", undo.doc()),
            Self::Rest(route, phase) => format!("{}: {}", route.doc(), phase.doc()),
            Self::Grpc(point) => format!("A call on a stream: {}", point.doc()),
            Self::Kube(route, phase) => format!("Kubernetes, {}: {}", route.doc(), phase.doc()),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "step.{}", step.name()),
            Self::Undo(undo) => write!(f, "undo.{}", undo.name()),
            Self::Rest(route, phase) => write!(f, "rest.{}.{}", route.name(), phase.name()),
            Self::Grpc(point) => write!(f, "grpc.{}", point.name()),
            Self::Kube(route, phase) => write!(f, "{}.{}", route.name(), phase.name()),
        }
    }
}

/// Where a rule stands: at one point, or at the same point of every route of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// There.
    Point(Point),
    /// `rest.before`, `rest.headers`, `rest.body`.
    EveryRoute(Phase),
    /// `kube.before`, `kube.headers`, `kube.body`.
    EveryKubeRoute(Phase),
}

impl At {
    /// Everything that can stand in a rule, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let every = Phase::ALL.iter().copied().map(Self::EveryRoute);
        let every_of_kube = Phase::ALL.iter().copied().map(Self::EveryKubeRoute);
        Point::all().map(Self::Point).chain(every).chain(every_of_kube)
    }

    /// A line about it.
    #[must_use]
    pub fn doc(self) -> String {
        match self {
            Self::Point(point) => point.doc(),
            Self::EveryRoute(phase) => format!("Every route: {}", phase.doc()),
            Self::EveryKubeRoute(phase) => format!("Kubernetes, every route: {}", phase.doc()),
        }
    }

    /// The points that it is.
    pub fn points(self) -> impl Iterator<Item = Point> {
        let (one, rest, kube) = match self {
            Self::Point(point) => (Some(point), None, None),
            Self::EveryRoute(phase) => (None, Some(phase), None),
            Self::EveryKubeRoute(phase) => (None, None, Some(phase)),
        };
        let rest =
            rest.into_iter().flat_map(|phase| Route::ALL.iter().map(move |route| Point::Rest(*route, phase)));
        let kube = kube
            .into_iter()
            .flat_map(|phase| KubeRoute::ALL.iter().map(move |route| Point::Kube(*route, phase)));
        one.into_iter().chain(rest).chain(kube)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(point) => point.fmt(f),
            Self::EveryRoute(phase) => write!(f, "rest.{}", phase.name()),
            Self::EveryKubeRoute(phase) => write!(f, "kube.{}", phase.name()),
        }
    }
}

/// There is no such point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPoint {
    /// Rules must not cut off the hand that installs them.
    #[error("the admin interface is no place for faults: a rule there could not be taken away again")]
    Admin,
    /// Nothing of that name.
    #[error("no such point: there are {}", names())]
    Unknown,
}

fn names() -> String {
    At::all().map(|at| at.to_string()).collect::<Vec<_>>().join(", ")
}

impl FromStr for At {
    type Err = NotAPoint;

    fn from_str(text: &str) -> Result<Self, NotAPoint> {
        if text.starts_with("admin") || text.contains("__mock") {
            return Err(NotAPoint::Admin);
        }
        Self::all().find(|at| at.to_string() == text).ok_or(NotAPoint::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_point_is_found_by_its_own_name() {
        let names: BTreeSet<_> = At::all().map(|at| at.to_string()).collect();
        assert_eq!(names.len(), 7 + 6 + 14 * 3 + 3 + 11 * 3 + 3 + 3);
        for at in At::all() {
            assert_eq!(at.to_string().parse(), Ok(at));
        }
        assert_eq!("rest.configure".parse::<At>(), Err(NotAPoint::Unknown));
        assert_eq!("admin.before".parse::<At>(), Err(NotAPoint::Admin));
    }

    #[test]
    fn no_two_routes_share_a_name() {
        let names: BTreeSet<_> = AnyRoute::all().map(AnyRoute::name).collect();
        assert_eq!(names.len(), Route::ALL.len() + KubeRoute::ALL.len());
    }

    #[test]
    fn a_rule_for_every_route_stands_at_one_point_of_each() {
        assert_eq!(At::EveryRoute(Phase::Body).points().count(), Route::ALL.len());
        let of_kube: Vec<_> = At::EveryKubeRoute(Phase::Body).points().collect();
        let expected: Vec<_> = KubeRoute::ALL.iter().map(|route| Point::Kube(*route, Phase::Body)).collect();
        assert_eq!(of_kube, expected);
        let port = Point::Step(Step::Port);
        assert_eq!(At::Point(port).points().collect::<Vec<_>>(), [port]);
    }
}
