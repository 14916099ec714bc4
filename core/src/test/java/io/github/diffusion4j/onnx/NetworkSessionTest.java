package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Opening, sharing and closing of sessions, with nothing behind them. */
class NetworkSessionTest {

  /** A session that knows whether it is open and how often it was opened. */
  private static final class Watched {
    final NetworkSession session;
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger openings = new AtomicInteger();

    Watched(String component, Residents residents) {
      session =
          new NetworkSession(
              component,
              residents,
              () -> {
                assertEquals(1, open.incrementAndGet(), "opened twice");
                openings.incrementAndGet();
                Closer closer = new Closer();
                closer.own(open::decrementAndGet);
                return new NetworkSession.Opened(null, closer);
              });
    }

    void use() throws IOException {
      session.acquire();
      assertEquals(1, open.get());
      session.release();
    }
  }

  @Test
  void openingOneClosesWhatIsIdle() throws IOException {
    Residents residents = new Residents(true);
    Watched first = new Watched("text_encoder", residents);
    Watched second = new Watched("text_encoder_2", residents);
    Watched third = new Watched("unet", residents);
    first.use();
    second.use();
    assertEquals(2, first.open.get() + second.open.get(), "text encoders stay together");
    third.session.acquire();
    assertEquals(0, first.open.get() + second.open.get());
    first.use();
    assertEquals(1, third.open.get(), "used ones stay");
    third.session.release();
    residents.closeIdle();
    assertEquals(0, first.open.get() + third.open.get());
    assertEquals(2, first.openings.get());
  }

  @Test
  void residentOnesStay() throws IOException {
    Residents residents = new Residents(false);
    Watched first = new Watched("text_encoder", residents);
    Watched second = new Watched("unet", residents);
    first.use();
    second.use();
    residents.closeIdle();
    first.use();
    assertEquals(2, first.openings.get() + second.openings.get());
    residents.keepOnlyWhatIsUsed();
    assertEquals(0, first.open.get() + second.open.get());
    first.use();
    second.use();
    assertEquals(0, first.open.get());
    first.session.close();
    second.session.close();
    assertEquals(0, second.open.get());
  }

  @Test
  void aSupersededOneIsClosedAfterItsLastUse() throws IOException {
    Watched network = new Watched("unet", new Residents(false));
    network.session.acquire();
    network.session.acquire();
    network.session.supersede();
    network.session.release();
    assertEquals(1, network.open.get(), "closed under a user");
    network.session.release();
    assertEquals(0, network.open.get());
    network.use();
    assertEquals(0, network.open.get(), "used again");
    network.session.keep();
    network.use();
    assertEquals(1, network.open.get());
    network.session.supersede();
    assertEquals(0, network.open.get(), "nobody used it");
    assertEquals(3, network.openings.get());
  }

  @Test
  void closedForGood() {
    Watched network = new Watched("unet", new Residents(false));
    network.session.close();
    network.session.close();
    assertThrows(IllegalStateException.class, network::use);
  }

  @Test
  void failedOpeningCanBeTriedAgain() throws IOException {
    AtomicInteger tries = new AtomicInteger();
    NetworkSession session =
        new NetworkSession(
            "unet",
            new Residents(true),
            () -> {
              if (tries.incrementAndGet() == 1) {
                throw new IOException("disk");
              }
              return new NetworkSession.Opened(null, new Closer());
            });
    assertThrows(IOException.class, session::acquire);
    session.acquire();
    session.release();
    assertEquals(2, tries.get());
  }

  @Test
  void manyThreadsNeverSeeAClosedOne() throws Exception {
    long seed = 20261122;
    Residents residents = new Residents(true);
    List<Watched> networks = new ArrayList<>();
    for (String name : List.of("text_encoder", "text_encoder_2", "unet", "vae_decoder")) {
      networks.add(new Watched(name, residents));
    }
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Callable<Void>> tasks = new ArrayList<>();
    for (int thread = 0; thread < 8; thread++) {
      Random random = new Random(seed + thread);
      tasks.add(
          () -> {
            for (int i = 0; i < 2000; i++) {
              Watched network = networks.get(random.nextInt(networks.size()));
              network.session.acquire();
              Thread.yield();
              assertEquals(1, network.open.get(), "closed while used, seed " + seed);
              network.session.release();
              if (random.nextInt(10) == 0) {
                residents.closeIdle();
              }
            }
            return null;
          });
    }
    try {
      for (Future<Void> done : threads.invokeAll(tasks)) {
        done.get();
      }
    } finally {
      threads.shutdown();
      assertTrue(threads.awaitTermination(1, TimeUnit.MINUTES));
    }
    residents.closeIdle();
    assertFalse(networks.stream().anyMatch(network -> network.open.get() != 0));
  }
}
