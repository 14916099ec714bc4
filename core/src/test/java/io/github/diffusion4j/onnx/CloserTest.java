package io.github.diffusion4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CloserTest {

  private final List<String> closed = new ArrayList<>();

  @Test
  void closesLastFirstAndOnce() {
    Closer closer = new Closer();
    closer.own(() -> closed.add("a"));
    closer.own(() -> closed.add("b"));
    closer.close();
    closer.close();
    assertEquals(List.of("b", "a"), closed);
  }

  @Test
  void keepsTheFirstErrorAndClosesTheRest() {
    IllegalStateException first = new IllegalStateException("first");
    IllegalStateException second = new IllegalStateException("second");
    Closer closer = new Closer();
    closer.own(
        () -> {
          throw second;
        });
    closer.own(() -> closed.add("b"));
    closer.own(
        () -> {
          throw first;
        });
    assertSame(first, assertThrows(IllegalStateException.class, closer::close));
    assertSame(second, first.getSuppressed()[0]);
    assertEquals(List.of("b"), closed);
  }

  @Test
  void releasedThingsStayOpen() {
    Closer next;
    try (Closer closer = new Closer()) {
      closer.own(() -> closed.add("a"));
      next = closer.release();
    }
    assertEquals(List.of(), closed);
    next.close();
    assertEquals(List.of("a"), closed);
  }
}
