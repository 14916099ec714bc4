package io.github.diffusion4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pictures are written beside the painting, and what follows happens in the painting thread. */
@Timeout(60)
class PictureWriterTest {

  private final List<String> events = new ArrayList<>();
  private final CountDownLatch disk = new CountDownLatch(1);

  @Test
  void paintingGoesOnWhileAPictureIsWritten() throws IOException {
    try (PictureWriter writer = new PictureWriter()) {
      writer.submit(this::slowWrite, failure -> events.add("written"));
      writer.settle();
      events.add("painted");
      disk.countDown();
    }
    assertEquals(List.of("painted", "written"), events);
  }

  @Test
  void completionsComeInOrderInThisThread() throws IOException {
    Thread painter = Thread.currentThread();
    try (PictureWriter writer = new PictureWriter()) {
      for (int i = 0; i < 10; i++) {
        String name = "picture " + i;
        writer.submit(
            () -> assertEquals("diffusion4j-writer", Thread.currentThread().getName()),
            failure -> {
              assertSame(painter, Thread.currentThread());
              events.add(name);
            });
      }
      writer.finish();
      assertEquals(10, events.size());
    }
    assertEquals(List.copyOf(events).stream().sorted().toList(), events);
  }

  @Test
  void fewPicturesWait() throws IOException {
    AtomicInteger started = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    int most = 0;
    try (PictureWriter writer = new PictureWriter()) {
      for (int i = 0; i < 20; i++) {
        started.incrementAndGet();
        writer.submit(() -> {}, failure -> done.incrementAndGet());
        most = Math.max(most, started.get() - done.get());
      }
    }
    assertEquals(20, done.get());
    assertTrue(most <= 2, "pictures held: " + most);
  }

  @Test
  void failureIsToldAndEndsTheRunIfItShall() throws IOException {
    IOException full = new IOException("no space left");
    PictureWriter writer = new PictureWriter();
    writer.submit(
        () -> {
          throw full;
        },
        failure -> events.add(failure.orElseThrow().getMessage()));
    writer.submit(
        () -> {
          throw full;
        },
        PictureWriter.Completion.STRICT);
    assertSame(full, assertThrows(IOException.class, writer::finish));
    writer.close();
    assertEquals(List.of("no space left"), events);
  }

  @Test
  void closingWaitsForEveryPictureAlsoAfterAFailure() throws IOException {
    PictureWriter writer = new PictureWriter();
    writer.submit(
        () -> {
          slowWrite();
          throw new IOException("no space left");
        },
        PictureWriter.Completion.STRICT);
    writer.submit(() -> {}, failure -> events.add("second"));
    disk.countDown();
    assertThrows(IOException.class, writer::close);
    assertEquals(List.of("second"), events);
  }

  @Test
  void interruptedPainterStillKeepsItsPicture() throws IOException {
    try (PictureWriter writer = new PictureWriter()) {
      writer.submit(this::slowWrite, failure -> events.add("written"));
      Thread.currentThread().interrupt();
      disk.countDown();
    }
    assertTrue(Thread.interrupted(), "the flag is kept");
    assertEquals(List.of("written"), events);
  }

  @Test
  void brokenWriteIsNotHidden() {
    PictureWriter writer = new PictureWriter();
    var e =
        assertThrows(
            IllegalStateException.class,
            () -> {
              writer.submit(
                  () -> {
                    throw new IllegalArgumentException("bad");
                  },
                  failure -> events.add("told"));
              writer.close();
            });
    assertEquals("bad", e.getCause().getMessage());
    assertEquals(List.of(), events);
  }

  private void slowWrite() throws IOException {
    try {
      assertTrue(disk.await(30, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
