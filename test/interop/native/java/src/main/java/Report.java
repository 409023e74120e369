import holdfast.v1.LocksGrpc;
import holdfast.v1.LocksOuterClass.HoldRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;

class Report {
  interface Work {
    void write(Hold lock) throws Exception;
  }

  /** Waits for up to a minute for the lock, and writes while it has it. */
  static void write(Work work) throws Exception {
    String address = "127.0.0.1:" + System.getenv("DAPR_GRPC_PORT");
    ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    HoldRequest request = HoldRequest.newBuilder()
        .setStoreName("lockstore").setResourceId("my_file_name").setTtlMs(10_000).setWaitMs(60_000).build();
    try (Hold lock = new Hold(LocksGrpc.newBlockingStub(channel), request)) {
      work.write(lock);
      lock.check();
    } finally {
      channel.shutdown();
    }
  }
}
