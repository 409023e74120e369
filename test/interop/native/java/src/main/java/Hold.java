import holdfast.v1.LocksGrpc.LocksBlockingStub;
import holdfast.v1.LocksOuterClass.HoldEvent;
import holdfast.v1.LocksOuterClass.HoldRequest;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.concurrent.TimeoutException;

/** A lock that is held until it is closed or lost. Call check() before each write, and pass the token along with it. */
final class Hold implements AutoCloseable {
  final long token;
  private final long sentAt = System.nanoTime(); // each valid_ms counts from the call
  private final Context.CancellableContext call = Context.current().withCancellation();
  private volatile long validMs;

  /** Waits for the lock. */
  Hold(LocksBlockingStub locks, HoldRequest request) throws Exception {
    Iterator<HoldEvent> events = call.call(() -> locks.hold(request));
    HoldEvent first = events.next();
    HoldEvent event = first.hasQueued() ? events.next() : first;
    if (event.hasRefused()) {
      throw new TimeoutException("somebody else has the lock");
    }
    token = event.getHeld().getLease().getFencingToken();
    validMs = event.getHeld().getLease().getValidMs();
    Thread following = new Thread(() -> follow(events));
    following.setDaemon(true);
    following.start();
  }

  private void follow(Iterator<HoldEvent> events) {
    try {
      events.forEachRemaining(event -> {
        validMs = event.hasRenewed() ? event.getRenewed().getValidMs() : event.hasLost() ? 0 : validMs;
      });
    } catch (StatusRuntimeException over) { } // the lease still lasts for as long as was said
  }

  /** Throws once the lock may be lost. */
  void check() {
    if (System.nanoTime() - sentAt >= validMs * 1_000_000) throw new IllegalStateException("the lock was lost");
  }

  /** Releases the lock. */
  @Override public void close() {
    call.cancel(null);
  }
}
