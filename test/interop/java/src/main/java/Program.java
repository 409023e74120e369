import io.dapr.client.DaprClient;
import io.dapr.client.DaprClientBuilder;
import io.dapr.client.DaprPreviewClient;
import io.dapr.client.domain.UnlockResponseStatus;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Supplier;

/** A user's program on Dapr's Java SDK: the scenario is the first argument. Prints "step, tab, answer". */
public final class Program {
  private static final BufferedReader STDIN = new BufferedReader(new InputStreamReader(System.in));
  private static DaprPreviewClient client;

  private static void say(String step, Object answer) {
    System.out.println(step + "\t" + String.valueOf(answer).replace('\n', ' '));
    System.out.flush();
  }

  private static void waitFor(String what) {
    say("waiting", what);
    try {
      STDIN.readLine();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String lock(String store, String resource, String owner, int seconds) {
    return shown(() -> String.valueOf(client.tryLock(store, resource, owner, seconds).block()));
  }

  private static String lock(String resource, String owner, int seconds) {
    return lock("lockstore", resource, owner, seconds);
  }

  private static String unlock(String resource, String owner) {
    return shown(() -> toText(client.unlock("lockstore", resource, owner).block()));
  }

  private static String toText(UnlockResponseStatus status) {
    switch (status) {
      case SUCCESS:
        return "success";
      case LOCK_UNEXIST:
        return "does not exist";
      case LOCK_BELONG_TO_OTHERS:
        return "belongs to others";
      default:
        return status.name();
    }
  }

  /** What an answer or an error looks like to the user. */
  private static String shown(Callable<String> call) {
    try {
      return call.call();
    } catch (Exception error) {
      return "error: " + error;
    }
  }

  private static String until(String wanted, Supplier<String> call) throws Exception {
    String answer = null;
    for (long end = System.currentTimeMillis() + 30_000; System.currentTimeMillis() < end; ) {
      answer = call.get();
      if (wanted.equals(answer)) {
        break;
      }
      Thread.sleep(50);
    }
    return answer;
  }

  private static void report(String file, String what) throws Exception {
    String line = what + " " + ProcessHandle.current().pid() + "\n";
    Files.writeString(Path.of(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private static void locks() throws Exception {
    say("lock a free resource", lock("report", "alice", 60));
    say("lock it again as its owner", lock("report", "alice", 60));
    say("lock it as another owner", lock("report", "bob", 60));
    say("unlock it as another owner", unlock("report", "bob"));
    say("unlock it", unlock("report", "alice"));
    say("unlock it again", unlock("report", "alice"));
    say("lock it for 1 s", lock("report", "alice", 1));
    say("lock it as another owner before that", lock("report", "bob", 60));
    say("lock it as another owner after that", until("true", () -> lock("report", "bob", 60)));
    unlock("report", "bob");
  }

  private static void snippet() throws Exception {
    say("work while the lock is free", workOf(() -> { }));
    say("lock as another owner after it", lock("my_file_name", "bob", 60));
    say("work while that owner holds it", workOf(() -> { }));
    say("unlock as that owner", unlock("my_file_name", "bob"));
    say("work that fails", workOf(() -> {
      throw new IllegalStateException("no space left");
    }));
    say("lock as another owner after that", lock("my_file_name", "bob", 60));
    say("unlock as that owner again", unlock("my_file_name", "bob"));
    say("work that is longer than its lease", workOf(() -> waitFor("lease over")));
  }

  private static String workOf(Runnable work) {
    return shown(() -> Report.write(work) ? "done" : "not done");
  }

  private static void errors() {
    say("an unknown store", lock("nope", "r", "o", 60));
    say("an empty resource", lock("", "o", 60));
    say("an empty owner", lock("r", "", 60));
    say("expiry 0", lock("r", "o", 0));
    say("two pipes in the resource", lock("a||b", "o", 60));
  }

  private static void contend(String file, String owner) throws Exception {
    waitFor("ready");
    int refused = 0;
    while (!lock("my_file_name", owner, 60).equals("true")) {
      refused++;
      Thread.sleep(50);
    }
    report(file, "begin");
    Thread.sleep(1000);
    report(file, "end");
    say("unlock after the work", unlock("my_file_name", owner));
    say("refused before it", refused);
  }

  private static void restart() throws Exception {
    say("lock before the stop", lock("kept", "alice", 60));
    waitFor("stop");
    say("call while it is stopped", unlock("kept", "alice"));
    waitFor("start");
    say("unlock after the start", until("success", () -> unlock("kept", "alice")));
  }

  private static void sidecar() throws Exception {
    try (DaprClient dapr = new DaprClientBuilder().build()) {
      dapr.waitForSidecar(10_000).block();
      say("waitForSidecar", "ok");
      say("metadata id", dapr.getMetadata().block().getId());
      dapr.shutdown().block();
      say("shutdown", "ok");
    }
  }

  public static void main(String[] args) throws Exception {
    client = new DaprClientBuilder().buildPreviewClient();
    switch (args[0]) {
      case "lock" -> locks();
      case "snippet" -> snippet();
      case "errors" -> errors();
      case "contend" -> contend(args[1], args[2]);
      case "token" -> say("lock with a token", lock("guarded", UUID.randomUUID().toString(), 1));
      case "restart" -> restart();
      case "sidecar" -> sidecar();
      default -> throw new IllegalArgumentException(args[0]);
    }
    client.close();
    System.exit(0);
  }
}
