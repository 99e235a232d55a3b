//! The workloads that are always there: the Focus Server, its recorder, MongoDB and RabbitMQ.

/// A workload of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// Deployment `panda-panda-focus-server`.
    FocusServer,
    /// Deployment `panda-panda-segy-recorder`.
    SegyRecorder,
    /// Deployment `mongodb`.
    MongoDb,
    /// StatefulSet `rabbitmq-panda`.
    RabbitMq,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FocusServer, Self::SegyRecorder, Self::MongoDb, Self::RabbitMq];

    /// The name of its Deployment or StatefulSet, and of its Service.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FocusServer => "panda-panda-focus-server",
            Self::SegyRecorder => "panda-panda-segy-recorder",
            Self::MongoDb => "mongodb",
            Self::RabbitMq => "rabbitmq-panda",
        }
    }

    /// Whether it is a StatefulSet: its pods keep their names.
    #[must_use]
    pub fn is_stateful(self) -> bool {
        match self {
            Self::RabbitMq => true,
            Self::FocusServer | Self::SegyRecorder | Self::MongoDb => false,
        }
    }

    /// Whether it has a Service.
    #[must_use]
    pub fn has_service(self) -> bool {
        match self {
            Self::FocusServer | Self::MongoDb | Self::RabbitMq => true,
            Self::SegyRecorder => false,
        }
    }
}
