package io.github.diffusion4j.onnx;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The open sessions of one runtime, and which may be closed to make room. Thread-safe.
 *
 * <p>Text encoders stay open together, since each prompt goes through all of them.
 */
final class Residents {

  private static final String TEXT_ENCODERS = "text_encoder";

  private final Set<NetworkSession> open = ConcurrentHashMap.newKeySet();
  private final NativeHeap heap = new NativeHeap();
  private volatile boolean onDemand;

  Residents(boolean onDemand) {
    this.onDemand = onDemand;
  }

  boolean onDemand() {
    return onDemand;
  }

  /** From now on networks are open only while they are used. */
  void keepOnlyWhatIsUsed() {
    onDemand = true;
    closeIdle();
  }

  /** Closes what is not used, before another network is opened. */
  void makeRoomFor(NetworkSession next) {
    if (onDemand) {
      close(session -> session != next && !together(session, next));
    }
  }

  private static boolean together(NetworkSession one, NetworkSession other) {
    return one.component().startsWith(TEXT_ENCODERS) && other.component().startsWith(TEXT_ENCODERS);
  }

  void opened(NetworkSession session) {
    open.add(session);
  }

  void closed(NetworkSession session) {
    open.remove(session);
  }

  /**
   * Closes what is not used, after a generation, and gives back what it left on the native heap.
   */
  void closeIdle() {
    if (onDemand) {
      close(session -> true);
    }
    heap.trimIfGrown();
  }

  /** Gives back what opening or closing a session left on the native heap. */
  void trim() {
    heap.trim();
  }

  private void close(Predicate<NetworkSession> which) {
    if (open.stream().filter(which).filter(NetworkSession::closeIfIdle).count() > 0) {
      heap.trim();
    }
  }
}
