//! Well-known ports: what listens there, and what stands before `://` in its URL.

/// A protocol other than HTTP, or HTTP at the port that it usually has behind no proxy.
#[derive(Debug)]
pub struct Service {
    /// What stands before `://` in its URLs.
    pub scheme: &'static str,
    /// Where it listens, the usual port first.
    pub ports: &'static [u16],
    /// What speaks it, as people say it.
    pub what: &'static str,
    /// The variable that programs and frameworks read a URL of it from.
    pub variable: Option<&'static str>,
    /// How clients are told who they are.
    pub login: Login,
}

/// What a client reads where a URL names no user and no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Nobody logs in, or not by a password.
    None,
    /// The URL alone says it.
    InUrl,
    /// These variables.
    Variables {
        /// The one for the user, if there is one.
        user: Option<&'static str>,
        /// The one for the password.
        password: &'static str,
        /// Who reads them, in the plural.
        by: &'static str,
    },
}

const fn service(
    scheme: &'static str,
    ports: &'static [u16],
    what: &'static str,
    variable: Option<&'static str>,
    login: Login,
) -> Service {
    Service { scheme, ports, what, variable, login }
}

const LIBPQ: Login = Login::Variables {
    user: Some("PGUSER"),
    password: "PGPASSWORD",
    by: "`libpq`, and most drivers of other languages,",
};
const MYSQL: Login =
    Login::Variables { user: None, password: "MYSQL_PWD", by: "the programs that come with MySQL" };
const REDIS: Login =
    Login::Variables { user: None, password: "REDISCLI_AUTH", by: "programs such as `redis-cli`" };

/// The services, by scheme. Ports: IANA's registry of service names, or the program's own documentation; variables of
/// logins: the documentation of `libpq`, "Environment Variables", that of `mysql`, the same, and that of `redis-cli`.
pub static SERVICES: &[Service] = &[
    service("amqp", &[5672], "AMQP", Some("AMQP_URL"), Login::InUrl),
    service("amqps", &[5671], "AMQP", Some("AMQP_URL"), Login::InUrl),
    service("bolt", &[7687], "Neo4j", Some("NEO4J_URI"), Login::InUrl),
    service("cassandra", &[9042], "Cassandra", None, Login::InUrl),
    service("ftp", &[21], "FTP", None, Login::InUrl),
    service("grpc", &[50051], "gRPC", None, Login::None),
    service("http", &[8080], "HTTP", Some("SERVICE_URL"), Login::None),
    service("https", &[8443], "HTTPS", Some("SERVICE_URL"), Login::None),
    service("imap", &[143], "IMAP", None, Login::InUrl),
    service("kafka", &[9092], "Kafka", None, Login::None),
    service("ldap", &[389], "LDAP", Some("LDAP_URL"), Login::InUrl),
    service("ldaps", &[636], "LDAP", Some("LDAP_URL"), Login::InUrl),
    service("memcached", &[11211], "Memcached", None, Login::None),
    service("mongodb", &[27017], "MongoDB", Some("MONGODB_URI"), Login::InUrl),
    service("mqtt", &[1883], "MQTT", Some("MQTT_URL"), Login::InUrl),
    service("mqtts", &[8883], "MQTT", Some("MQTT_URL"), Login::InUrl),
    service("mysql", &[3306], "MySQL", Some("DATABASE_URL"), MYSQL),
    service("nats", &[4222], "NATS", Some("NATS_URL"), Login::InUrl),
    service("oracle", &[1521], "Oracle Database", Some("DATABASE_URL"), Login::InUrl),
    service("postgres", &[5432, 6432, 26257], "PostgreSQL", Some("DATABASE_URL"), LIBPQ),
    service("postgresql", &[], "PostgreSQL", Some("DATABASE_URL"), LIBPQ),
    service("redis", &[6379], "Redis", Some("REDIS_URL"), REDIS),
    service("smtp", &[1025, 25, 587], "SMTP", Some("SMTP_URL"), Login::InUrl),
    service("sqlserver", &[1433], "SQL Server", Some("DATABASE_URL"), Login::InUrl),
    service("ssh", &[22, 2222], "SSH", None, Login::None),
    service("zookeeper", &[2181], "ZooKeeper", None, Login::None),
];

/// The service that listens at a port, unless that is one of HTTP.
#[must_use]
pub fn other_than_http(port: u16) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.ports.contains(&port)).filter(|it| !it.scheme.starts_with("http"))
}

/// The service with URLs of that scheme.
#[must_use]
pub fn of_scheme(scheme: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.scheme == scheme)
}
