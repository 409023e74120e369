import io.dapr.client.DaprClientBuilder;
import io.dapr.client.DaprPreviewClient;
import io.dapr.client.domain.UnlockResponseStatus;
import java.lang.management.ManagementFactory;
import java.util.UUID;

class Report {
  /** Does the work and returns true, or returns false: somebody else has the lock. */
  static boolean write(Runnable work) throws Exception {
    String[] self = ManagementFactory.getRuntimeMXBean().getName().split("@"); // pid@host
    String owner = self[1] + "-" + self[0] + "-" + UUID.randomUUID();
    try (DaprPreviewClient client = new DaprClientBuilder().buildPreviewClient()) {
      if (!client.tryLock("lockstore", "my_file_name", owner, 60).block()) {
        return false;
      }
      // An error of the work goes to the caller, with one of the release as "suppressed".
      try (AutoCloseable lock = () -> release(client, owner)) {
        work.run();
      }
      return true;
    }
  }

  private static void release(DaprPreviewClient client, String owner) {
    UnlockResponseStatus status = client.unlock("lockstore", "my_file_name", owner).block();
    if (status != UnlockResponseStatus.SUCCESS) {
      throw new IllegalStateException("the lease was over before the work: unlock answered " + status);
    }
  }
}
