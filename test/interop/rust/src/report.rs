use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{TryLockRequest, UnlockRequest};
use std::{env, error::Error, process, time::Instant};

pub async fn write_report(work: impl FnOnce()) -> Result<(), Box<dyn Error>> {
    let port = env::var("DAPR_GRPC_PORT")?;
    let mut client = DaprClient::connect(format!("http://127.0.0.1:{port}")).await?;
    let (store_name, resource_id) = ("lockstore".to_string(), "my_file_name".to_string());
    let lock_owner = format!("{}-{:?}", process::id(), Instant::now()); // its own for each lock
    let lock = TryLockRequest { store_name, resource_id, lock_owner, expiry_in_seconds: 60 };
    if client.try_lock_alpha1(lock.clone()).await?.into_inner().success {
        work();
        let TryLockRequest { store_name, resource_id, lock_owner, .. } = lock;
        client.unlock_alpha1(UnlockRequest { store_name, resource_id, lock_owner }).await?;
    } // else somebody else has it: that is an answer, not an error
    Ok(())
}
