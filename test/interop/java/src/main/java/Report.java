import io.dapr.client.DaprClientBuilder;
import io.dapr.client.DaprPreviewClient;
import java.util.UUID;

class Report {
  static void write(Runnable work) throws Exception {
    try (DaprPreviewClient client = new DaprClientBuilder().buildPreviewClient()) {
      String owner = UUID.randomUUID().toString(); // a name of its own for each lock that is taken
      if (client.tryLock("lockstore", "my_file_name", owner, 60).block()) {
        try {
          work.run();
        } finally {
          client.unlock("lockstore", "my_file_name", owner).block();
        }
      } // else somebody else has it: that is an answer, not an error
    }
  }
}
