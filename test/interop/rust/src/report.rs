use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{TryLockRequest, UnlockRequest};
use std::{env, error::Error, process};

/// Does the work and returns true, or returns false: somebody else has the lock.
pub async fn write_report(
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<bool, Box<dyn Error>> {
    let port = env::var("DAPR_GRPC_PORT")?;
    let mut client = DaprClient::connect(format!("http://127.0.0.1:{port}")).await?;
    let (store_name, resource_id) = ("lockstore".to_string(), "my_file_name".to_string());
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let lock_owner = format!("{host}-{}-{}", process::id(), uuid::Uuid::new_v4());
    let lock = TryLockRequest { store_name, resource_id, lock_owner, expiry_in_seconds: 60 };
    if !client.try_lock_alpha1(lock.clone()).await?.into_inner().success {
        return Ok(false);
    }
    let worked = work();
    let TryLockRequest { store_name, resource_id, lock_owner, .. } = lock;
    let unlock = UnlockRequest { store_name, resource_id, lock_owner };
    let released: Result<(), Box<dyn Error>> = match client.unlock_alpha1(unlock).await {
        Ok(answer) if answer.get_ref().status == 0 => Ok(()),
        Ok(answer) => Err(format!("the lease was over before the work: {:?}", answer.get_ref().status()).into()),
        Err(status) => Err(status.into()),
    };
    if let (Err(_), Err(error)) = (&worked, &released) {
        eprintln!("my_file_name was not released after work that failed: {error}");
    }
    worked.and(released).map(|()| true)
}
