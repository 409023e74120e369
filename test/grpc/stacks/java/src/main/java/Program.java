import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Calls the test service by grpc-java on Netty: PORT STREAMS BYTES. */
public final class Program {
  private static final String SERVICE = "grpc.testing.TestService/";

  /** StreamingOutputCallRequest with one response parameter: 100 bytes. */
  private static final byte[] ASKS_FOR_100_BYTES = {0x12, 2, 0x08, 100};

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    int streams = Integer.parseInt(args[1]);
    int size = Integer.parseInt(args[2]);
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    List<Duplex> open = new ArrayList<>();
    for (int count = 0; count < streams; count += 1) open.add(new Duplex(channel));
    for (Duplex call : open) expect(call.answer.get(100, TimeUnit.SECONDS).length > 100);
    for (Duplex call : open) call.requests.onCompleted();
    for (Duplex call : open) call.end.get(100, TimeUnit.SECONDS);

    // SimpleRequest with its response size and payload.
    ByteArrayOutputStream request = new ByteArrayOutputStream();
    request.write(0x10);
    request.write(varint(size));
    request.write(withLength(0x1a, withLength(0x12, new byte[size])));
    byte[] answer = ClientCalls.blockingUnaryCall(
        channel,
        method("UnaryCall", MethodDescriptor.MethodType.UNARY),
        CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.SECONDS),
        request.toByteArray());
    expect(answer.length > size);
    channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
    System.out.println("ok");
  }

  /** A stream on which a request was sent. */
  private static final class Duplex implements StreamObserver<byte[]> {
    final CompletableFuture<byte[]> answer = new CompletableFuture<>();
    final CompletableFuture<Void> end = new CompletableFuture<>();
    final StreamObserver<byte[]> requests;

    Duplex(ManagedChannel channel) {
      requests = ClientCalls.asyncBidiStreamingCall(
          channel.newCall(
              method("FullDuplexCall", MethodDescriptor.MethodType.BIDI_STREAMING),
              CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.SECONDS)),
          this);
      requests.onNext(ASKS_FOR_100_BYTES);
    }

    @Override
    public void onNext(byte[] message) {
      answer.complete(message);
    }

    @Override
    public void onError(Throwable error) {
      answer.completeExceptionally(error);
      end.completeExceptionally(error);
    }

    @Override
    public void onCompleted() {
      end.complete(null);
    }
  }

  private static MethodDescriptor<byte[], byte[]> method(String name, MethodDescriptor.MethodType type) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type)
        .setFullMethodName(SERVICE + name)
        .setRequestMarshaller(new Bytes())
        .setResponseMarshaller(new Bytes())
        .build();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] bytes) {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static byte[] varint(int number) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int rest = number;
    for (; rest > 127; rest >>= 7) bytes.write(rest & 127 | 128);
    bytes.write(rest);
    return bytes.toByteArray();
  }

  private static byte[] withLength(int key, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(key);
    bytes.write(varint(content.length));
    bytes.write(content);
    return bytes.toByteArray();
  }

  private static void expect(boolean holds) {
    if (!holds) throw new AssertionError("an answer of another length");
  }
}
