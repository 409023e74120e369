//! A user's program on the stub that Dapr's Rust SDK brings: `program SCENARIO`.
//! Each step is printed as "step<TAB>answer".

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process;
use std::time::Duration;

use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{
    GetMetadataRequest, SetMetadataRequest, ShutdownRequest, TryLockRequest, UnlockRequest,
};
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

mod report;

type Error = Box<dyn std::error::Error>;

fn say(step: &str, answer: impl AsRef<str>) {
    println!("{step}\t{}", answer.as_ref().replace('\n', " "));
}

fn wait_for(what: &str) {
    say("waiting", what);
    io::stdin().read_line(&mut String::new()).unwrap();
}

type Token = fn(Request<()>) -> Result<Request<()>, Status>;

/// Dapr's token goes with every call, where there is one.
fn with_token(mut request: Request<()>) -> Result<Request<()>, Status> {
    if let Ok(token) = env::var("DAPR_API_TOKEN") {
        let value = MetadataValue::try_from(token).map_err(|e| Status::internal(e.to_string()))?;
        request.metadata_mut().insert("dapr-api-token", value);
    }
    Ok(request)
}

struct Program {
    client: DaprClient<InterceptedService<Channel, Token>>,
}

impl Program {
    async fn lock_in(&mut self, store: &str, resource: &str, owner: &str, seconds: i32) -> String {
        let request = TryLockRequest {
            store_name: store.into(),
            resource_id: resource.into(),
            lock_owner: owner.into(),
            expiry_in_seconds: seconds,
        };
        match self.client.try_lock_alpha1(request).await {
            Ok(response) => response.into_inner().success.to_string(),
            Err(status) => format!("error: {:?} {}", status.code(), status.message()),
        }
    }

    async fn lock(&mut self, resource: &str, owner: &str, seconds: i32) -> String {
        self.lock_in("lockstore", resource, owner, seconds).await
    }

    async fn unlock(&mut self, resource: &str, owner: &str) -> String {
        let request = UnlockRequest {
            store_name: "lockstore".into(),
            resource_id: resource.into(),
            lock_owner: owner.into(),
        };
        match self.client.unlock_alpha1(request).await {
            Ok(response) => match response.into_inner().status {
                0 => "success".into(),
                1 => "does not exist".into(),
                2 => "belongs to others".into(),
                other => other.to_string(),
            },
            Err(status) => format!("error: {:?} {}", status.code(), status.message()),
        }
    }

    async fn locks(&mut self) {
        say("lock a free resource", self.lock("report", "alice", 60).await);
        say("lock it again as its owner", self.lock("report", "alice", 60).await);
        say("lock it as another owner", self.lock("report", "bob", 60).await);
        say("unlock it as another owner", self.unlock("report", "bob").await);
        say("unlock it", self.unlock("report", "alice").await);
        say("unlock it again", self.unlock("report", "alice").await);
        say("lock it for 1 s", self.lock("report", "alice", 1).await);
        say("lock it as another owner before that", self.lock("report", "bob", 60).await);
        let mut got = self.lock("report", "bob", 60).await;
        for _ in 0..300 {
            if got == "true" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            got = self.lock("report", "bob", 60).await;
        }
        say("lock it as another owner after that", got);
        self.unlock("report", "bob").await;
    }

    async fn snippet(&mut self) {
        say("work while the lock is free", work_of(|| Ok(())).await);
        say("lock as another owner after it", self.lock("my_file_name", "bob", 60).await);
        say("work while that owner holds it", work_of(|| Ok(())).await);
        say("unlock as that owner", self.unlock("my_file_name", "bob").await);
        say("work that fails", work_of(|| Err("no space left".into())).await);
        say("lock as another owner after that", self.lock("my_file_name", "bob", 60).await);
        say("unlock as that owner again", self.unlock("my_file_name", "bob").await);
        let overrun = work_of(|| {
            wait_for("lease over");
            Ok(())
        });
        say("work that is longer than its lease", overrun.await);
    }

    async fn errors(&mut self) {
        say("an unknown store", self.lock_in("nope", "r", "o", 60).await);
        say("an empty resource", self.lock("", "o", 60).await);
        say("an empty owner", self.lock("r", "", 60).await);
        say("expiry 0", self.lock("r", "o", 0).await);
        say("two pipes in the resource", self.lock("a||b", "o", 60).await);
    }

    async fn contend(&mut self, file: &str, owner: &str) -> Result<(), Error> {
        wait_for("ready");
        let mut refused = 0;
        while self.lock("my_file_name", owner, 60).await != "true" {
            refused += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        append(file, "begin")?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        append(file, "end")?;
        say("unlock after the work", self.unlock("my_file_name", owner).await);
        say("refused before it", refused.to_string());
        Ok(())
    }

    async fn restart(&mut self) {
        say("lock before the stop", self.lock("kept", "alice", 60).await);
        wait_for("stop");
        say("call while it is stopped", self.unlock("kept", "alice").await);
        wait_for("start");
        let mut answer = self.unlock("kept", "alice").await;
        for _ in 0..300 {
            if !answer.starts_with("error: ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = self.unlock("kept", "alice").await;
        }
        say("unlock after the start", answer);
    }

    async fn sidecar(&mut self) -> Result<(), Error> {
        let metadata = self.client.get_metadata(GetMetadataRequest {}).await?.into_inner();
        say("metadata id", metadata.id);
        let request = SetMetadataRequest { key: "team".into(), value: "storage".into() };
        self.client.set_metadata(request).await?;
        say("set metadata", "ok");
        self.client.shutdown(ShutdownRequest {}).await?;
        say("shutdown", "ok");
        Ok(())
    }
}

async fn work_of(work: impl FnOnce() -> Result<(), Error>) -> String {
    match report::write_report(work).await {
        Ok(true) => "done".into(),
        Ok(false) => "not done".into(),
        Err(error) => format!("error: {error}"),
    }
}

fn append(file: &str, what: &str) -> io::Result<()> {
    let mut lines = OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(lines, "{what} {}", process::id())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = env::args().skip(1).collect();
    let port = env::var("DAPR_GRPC_PORT")?;
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.connect().await?;
    let client = DaprClient::with_interceptor(channel, with_token as Token);
    let mut program = Program { client };
    match args[0].as_str() {
        "lock" => program.locks().await,
        "snippet" => program.snippet().await,
        "errors" => program.errors().await,
        "contend" => program.contend(&args[1], &args[2]).await?,
        "token" => say("lock with a token", program.lock("guarded", "alice", 1).await),
        "restart" => program.restart().await,
        "sidecar" => program.sidecar().await?,
        other => panic!("no scenario {other}"),
    }
    Ok(())
}
