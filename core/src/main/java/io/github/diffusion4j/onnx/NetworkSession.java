package io.github.diffusion4j.onnx;

import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A network's session, which is opened when it is first used and may be closed between two uses.
 * Thread-safe: users at the same time share it, and it is never closed under one.
 */
final class NetworkSession implements AutoCloseable {

  /** Opens the session, as often as it is needed. */
  interface Opening {
    Opened open() throws IOException;
  }

  /**
   * An open session.
   *
   * @param session owned by the closer
   * @param owned closes the session and its options
   */
  record Opened(OrtSession session, Closer owned) {}

  private final String component;
  private final Residents residents;
  private final Opening opening;
  private final ReentrantLock lock = new ReentrantLock();
  private Opened opened; // null while closed
  private int users;
  private boolean superseded;
  private boolean ended;

  NetworkSession(String component, Residents residents, Opening opening) {
    this.component = component;
    this.residents = residents;
    this.opening = opening;
  }

  String component() {
    return component;
  }

  /**
   * Takes the session into use, opening it if need be.
   *
   * @return not to be closed; {@link #release} must follow
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  OrtSession acquire() throws IOException {
    lock.lock();
    try {
      if (ended) {
        throw new IllegalStateException(component + " is closed");
      }
      if (opened == null) {
        residents.makeRoomFor(this);
        opened = opening.open();
        residents.opened(this);
      }
      users++;
      return opened.session();
    } finally {
      lock.unlock();
    }
  }

  void release() {
    lock.lock();
    try {
      users--;
      if (superseded) {
        shutIfUnused();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets the session stay open between two uses, as it does at first. */
  void keep() {
    lock.lock();
    try {
      superseded = false;
    } finally {
      lock.unlock();
    }
  }

  /** Has the session closed whenever nobody uses it: now, or after its last use. */
  void supersede() {
    lock.lock();
    try {
      superseded = true;
      shutIfUnused();
    } finally {
      lock.unlock();
    }
  }

  private void shutIfUnused() {
    if (users == 0 && shut()) {
      residents.trim();
    }
  }

  /**
   * Closes the session if nobody uses it. One that is being opened or taken into use is left alone
   * and not waited for, so that two threads that make room for each other cannot block.
   *
   * @return whether it was open and is closed
   */
  boolean closeIfIdle() {
    if (!lock.tryLock()) {
      return false;
    }
    try {
      return users == 0 && shut();
    } finally {
      lock.unlock();
    }
  }

  private boolean shut() {
    if (opened == null) {
      return false;
    }
    Opened last = opened;
    opened = null;
    residents.closed(this);
    last.owned().close();
    return true;
  }

  /** Closes the session for good; that nobody uses it is the owner's to see to. */
  @Override
  public void close() {
    lock.lock();
    try {
      ended = true;
      shut();
    } finally {
      lock.unlock();
    }
  }
}
