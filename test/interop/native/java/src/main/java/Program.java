import holdfast.v1.LocksGrpc;
import holdfast.v1.LocksGrpc.LocksBlockingStub;
import holdfast.v1.LocksOuterClass.AcquireRequest;
import holdfast.v1.LocksOuterClass.GetRequest;
import holdfast.v1.LocksOuterClass.HoldEvent;
import holdfast.v1.LocksOuterClass.HoldRequest;
import holdfast.v1.LocksOuterClass.Lock;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/** A user's program on stubs of the native API: "first" or "second" is the argument. Prints "step, tab, answer". */
public final class Program {
  private static final String STORE = "lockstore";
  private static final String RESOURCE = "my_file_name";
  private static final int TTL_MS = 2000;
  private static final BufferedReader STDIN = new BufferedReader(new InputStreamReader(System.in));
  private static LocksBlockingStub locks;

  private static void say(String step, Object answer) {
    System.out.println(step + "\t" + String.valueOf(answer).replace('\n', ' '));
    System.out.flush();
  }

  private static void waitFor(String what) throws IOException {
    say("waiting", what);
    STDIN.readLine();
  }

  /** Sends the token along: the store refuses one that is lower than one it has seen. */
  private static String write(long token, String what) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("STORE_URL")))
        .header("fencing-token", String.valueOf(token))
        .PUT(BodyPublishers.ofString(what))
        .build();
    int status = HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
    return status == 409 ? "refused" : status == 204 ? "written" : String.valueOf(status);
  }

  private static HoldRequest requestFor(String resource) {
    return HoldRequest.newBuilder()
        .setStoreName(STORE)
        .setResourceId(resource)
        .setTtlMs(TTL_MS)
        .setWaitMs(60_000)
        .build();
  }

  /** Reads a hold to its end. */
  private static String eventsOfHold() {
    List<String> names = new ArrayList<>();
    for (Iterator<HoldEvent> events = locks.hold(requestFor("watched")); events.hasNext(); ) {
      HoldEvent event = events.next();
      String name = event.getEventCase().name().toLowerCase(Locale.ROOT);
      if (event.hasLost()) {
        name += ":" + event.getLost().getReason();
      }
      if (names.isEmpty() || !names.get(names.size() - 1).equals(name)) {
        names.add(name);
      }
    }
    return String.join(" ", names);
  }

  private static boolean isHeld(Hold lock) {
    try {
      lock.check();
      return true;
    } catch (IllegalStateException lost) {
      return false;
    }
  }

  private static void first() throws Exception {
    Lock before = locks.acquire(AcquireRequest.newBuilder()
        .setStoreName(STORE)
        .setResourceId(RESOURCE)
        .setTtlMs(TTL_MS)
        .build()).getHolder();
    say("acquire it while another has it", before.getLockOwner() + " has it");
    CompletableFuture<String> events = CompletableFuture.supplyAsync(Program::eventsOfHold);
    long own = 0;
    try (Hold lock = new Hold(locks, requestFor(RESOURCE))) {
      own = lock.token;
      say("its token is higher than the one before", own > before.getFencingToken());
      say("write with its token", write(own, "first"));
      Thread.sleep(TTL_MS * 3 / 2);
      say("it is held for longer than one lease", isHeld(lock));
      waitFor("Redis is gone");
      while (isHeld(lock)) {
        Thread.sleep(50);
      }
      say("it is told that the lock is lost", true);
      lock.check();
    } catch (IllegalStateException error) {
      say("its hold ends with an error", "error: " + error.getMessage());
    }
    say("events of a hold", events.get());
    waitFor("the second holds the lock");
    Lock now = locks.get(GetRequest.newBuilder().setStoreName(STORE).setResourceId(RESOURCE).build()).getLock();
    say("the second has the lock, with a higher token", now.getFencingToken() > own);
    say("write with the old token", write(own, "first again"));
  }

  private static void second() throws Exception {
    Report.write(lock -> {
      say("write with its token", write(lock.token, "second"));
      waitFor("the first has ended");
    });
    say("its hold ends well", true);
  }

  public static void main(String[] args) throws Exception {
    String address = "127.0.0.1:" + System.getenv("DAPR_GRPC_PORT");
    ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    locks = LocksGrpc.newBlockingStub(channel);
    switch (args[0]) {
      case "first" -> first();
      case "second" -> second();
      default -> throw new IllegalArgumentException(args[0]);
    }
    channel.shutdownNow();
    System.exit(0);
  }
}
