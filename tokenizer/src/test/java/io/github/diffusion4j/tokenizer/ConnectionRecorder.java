package io.github.diffusion4j.tokenizer;

import java.io.IOException;
import java.net.Socket;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** A program that loads and uses a tokenizer while it counts, and refuses, all connections. */
final class ConnectionRecorder {
  private static final AtomicInteger CONNECTIONS = new AtomicInteger();

  private ConnectionRecorder() {}

  @SuppressWarnings("deprecation") // The only hook below all of java.net; for a test it will do.
  public static void main(String[] arguments) throws IOException {
    URL.setURLStreamHandlerFactory(
        protocol -> protocol.startsWith("http") ? new RefusingHandler() : null);
    Socket.setSocketImplFactory(
        () -> {
          CONNECTIONS.incrementAndGet();
          throw new IllegalStateException("no sockets in this test");
        });
    try (Tokenizer tokenizer = Tokenizers.load(Path.of(arguments[0]))) {
      tokenizer.decode(tokenizer.encode("a cat").toIntArray());
    }
    System.out.printf(
        "connections %d, offline %s, opted out %s%n",
        CONNECTIONS.get(),
        System.getProperty("ai.djl.offline"),
        System.getProperty("OPT_OUT_TRACKING"));
  }

  private static final class RefusingHandler extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      CONNECTIONS.incrementAndGet();
      throw new IOException("no connections in this test");
    }

    @Override
    protected URLConnection openConnection(URL url, java.net.Proxy proxy) throws IOException {
      return openConnection(url);
    }
  }
}
