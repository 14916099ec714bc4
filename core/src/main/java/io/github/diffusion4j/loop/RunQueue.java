package io.github.diffusion4j.loop;

import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.GenerationBatching;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.RunSharing;
import io.github.diffusion4j.loop.SharingDenoiser.State;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/**
 * The calls of generations of one form, first come, first served, and the one run that is under way
 * for some of them. The first in the queue gathers others for a while, then runs for all of them.
 * Allocates nothing while the same generations go on together. Its monitor guards its own and its
 * members' fields; it is never held while the network runs, is bound or is closed.
 */
final class RunQueue {

  private static final System.Logger LOG = System.getLogger(RunQueue.class.getName());

  private static final int KEPT_RUNS = 4;

  /** Runs after a failure that have at most half of its rows. */
  private static final int CAREFUL_RUNS = 64;

  private static final long NANOS_PER_MILLI = 1_000_000;

  private final DenoiserModel network;
  private final boolean anyTimestep;
  private final long maxWait; // nanoseconds
  private final List<SharingDenoiser> members = new ArrayList<>();
  private final List<SharingDenoiser> waiting = new ArrayList<>();
  private final List<SharingDenoiser> group = new ArrayList<>(); // of the next or present run
  private final List<SharedRun> kept = new ArrayList<>(); // bound, the latest last
  private SharedRun current; // null unless a shared run is under way
  private boolean running;
  private boolean gathering;
  private long gatheringSince;
  private long runs;
  private long joined;
  private final int maxRows;
  private int fewerRows; // after a failure
  private long fewerUntil; // this count of runs

  RunQueue(DenoiserModel network, GenerationBatching batching) {
    this.network = network;
    this.anyTimestep = network.sharing() == RunSharing.ANY_TIMESTEPS;
    this.maxWait = batching.maxWait().toNanos();
    this.maxRows = batching.maxRows();
  }

  synchronized void add(SharingDenoiser member) {
    member.number = joined++;
    member.lastRun = runs;
    members.add(member);
    notifyAll();
  }

  /** Takes a member out; true if it was the last. */
  boolean remove(SharingDenoiser member) {
    List<SharedRun> over = new ArrayList<>();
    boolean last;
    synchronized (this) {
      members.remove(member);
      waiting.remove(member);
      for (SharedRun run : kept) {
        if (run.has(member)) {
          over.add(run);
        }
      }
      kept.removeAll(over);
      over.remove(current); // whoever runs it closes it
      last = members.isEmpty();
      notifyAll();
    }
    over.forEach(SharedRun::close);
    return last;
  }

  /** A member's token was cancelled. */
  synchronized void cancelled() {
    if (current != null) {
      current.cancelIfAllAre();
    }
    notifyAll();
  }

  synchronized void begin(SharingDenoiser member, float[] latents, double timestep, float[] dst) {
    member.latents = latents;
    member.timestep = timestep;
    member.dst = dst;
    member.state = State.WAITING;
    waiting.add(member);
    notifyAll();
  }

  /**
   * Waits for a member's call, running for it and others when it is its turn.
   *
   * @return false if it is to be run alone
   */
  boolean await(SharingDenoiser member) {
    if (waitForTurn(member)) {
      lead(member);
    }
    synchronized (this) {
      boolean done = member.state == State.DONE;
      member.state = State.IDLE;
      member.throwIfCancelled();
      return done;
    }
  }

  /** Until the call is over, or this thread has to run for the group. */
  private synchronized boolean waitForTurn(SharingDenoiser member) {
    try {
      while (member.state == State.WAITING || member.state == State.RUNNING) {
        member.throwIfCancelled();
        if (running || waiting.get(0) != member) {
          wait();
          continue;
        }
        long left = gather(member);
        if (left <= 0) {
          begin();
          return true;
        }
        wait(left / NANOS_PER_MILLI, (int) (left % NANOS_PER_MILLI));
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      leave(member);
      throw new GenerationCancelledException("the generating thread was interrupted");
    } catch (GenerationCancelledException e) {
      leave(member);
      throw e;
    }
  }

  /** A call that is given up: whoever runs it meanwhile goes on for the others. */
  private void leave(SharingDenoiser member) {
    if (waiting.remove(member)) {
      gathering = false;
      notifyAll();
    }
    member.state = State.IDLE;
  }

  /** Chooses the next run's group; nanoseconds that it is to wait for more. */
  private long gather(SharingDenoiser first) {
    if (!gathering) {
      gathering = true;
      gatheringSince = System.nanoTime();
    }
    group.clear();
    int most = runs < fewerUntil ? fewerRows : maxRows;
    int rows = 0;
    for (int i = 0; i < waiting.size(); i++) {
      SharingDenoiser next = waiting.get(i);
      if (i == 0 || rows + next.rows() <= most && suits(next, first)) {
        insert(next);
        rows += next.rows();
      }
    }
    return expectsMore(first, most - rows) ? maxWait - (System.nanoTime() - gatheringSince) : 0;
  }

  private boolean suits(SharingDenoiser next, SharingDenoiser first) {
    return !next.isCancelled() && (anyTimestep || next.timestep == first.timestep);
  }

  /** In the order of joining, so that the same members are the same group. */
  private void insert(SharingDenoiser member) {
    int at = group.size();
    while (at > 0 && group.get(at - 1).number > member.number) {
      at--;
    }
    group.add(at, member);
  }

  /** Whether a member that ran lately, and would fit, has not asked again yet. */
  private boolean expectsMore(SharingDenoiser first, int rowsLeft) {
    for (int i = 0; i < members.size(); i++) {
      SharingDenoiser other = members.get(i);
      boolean lately = anyTimestep ? other.lastRun >= runs - 1 : other.lastRun == first.lastRun;
      boolean willAsk = other.state == State.IDLE || other.state == State.DONE;
      if (willAsk && lately && other.rows() <= rowsLeft && !other.isCancelled()) {
        return true;
      }
    }
    return false;
  }

  private void begin() {
    running = true;
    gathering = false;
    for (int i = 0; i < group.size(); i++) {
      SharingDenoiser member = group.get(i);
      member.state = State.RUNNING;
      waiting.remove(member);
    }
  }

  private void lead(SharingDenoiser leader) {
    State end = State.FAILED;
    try {
      if (group.size() == 1) {
        leader.predictAlone();
      } else {
        predictShared();
      }
      end = State.DONE;
    } catch (GenerationCancelledException e) {
      // Of all members, or of the leader by an interrupt: each finds out for itself.
      if (group.size() == 1) {
        throw e;
      }
    } catch (RuntimeException e) {
      if (group.size() == 1) {
        throw e;
      }
      shareLess(e);
    } finally {
      end(end);
    }
  }

  private void predictShared() {
    SharedRun run = bound();
    try {
      run.predict();
    } finally {
      release(run);
    }
  }

  /** The group's run, bound already if it ran lately; from now on the current one. */
  private SharedRun bound() {
    synchronized (this) {
      for (int i = 0; i < kept.size(); i++) {
        SharedRun run = kept.get(i);
        if (run.isOf(group)) {
          kept.add(kept.remove(i));
          become(run);
          return run;
        }
      }
    }
    SharedRun fresh = new SharedRun(network, group);
    SharedRun oldest = null;
    synchronized (this) {
      if (members.containsAll(group)) { // else it is for this once
        kept.add(fresh);
        oldest = kept.size() > KEPT_RUNS ? kept.remove(0) : null;
      }
      become(fresh);
    }
    if (oldest != null) {
      oldest.close();
    }
    return fresh;
  }

  private void become(SharedRun run) {
    current = run;
    run.cancelIfAllAre(); // those that were cancelled before it could hear of it
  }

  private void release(SharedRun run) {
    boolean over;
    synchronized (this) {
      current = null;
      over = !kept.contains(run);
    }
    if (over) {
      run.close();
    }
  }

  private synchronized void shareLess(RuntimeException e) {
    int rows = 0;
    for (SharingDenoiser member : group) {
      rows += member.rows();
    }
    fewerRows = rows / 2;
    fewerUntil = runs + CAREFUL_RUNS;
    LOG.log(
        Level.WARNING,
        "A run of {0} rows failed; its generations run again alone, the next runs have at most {1}: {2}",
        rows,
        fewerRows,
        e.getMessage());
  }

  private synchronized void end(State state) {
    running = false;
    runs++;
    for (int i = 0; i < group.size(); i++) {
      SharingDenoiser member = group.get(i);
      member.lastRun = runs;
      if (member.state == State.RUNNING) {
        member.state = state;
      }
    }
    notifyAll();
  }
}
