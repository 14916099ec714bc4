package io.github.diffusion4j.loop;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.LatentShape;

/**
 * One generation's place in a {@link RunQueue}, and its present call. The fields of the call are
 * guarded by the queue; whoever runs reads them in between.
 */
final class SharingDenoiser implements Denoiser {

  /** Where a call is. */
  enum State {
    /** There is none. */
    IDLE,
    /** Not yet in a run. */
    WAITING,
    /** In a run. */
    RUNNING,
    /** The output is there. */
    DONE,
    /** The shared run failed: to be repeated alone. */
    FAILED
  }

  private final BatchingDenoiserModel model;
  private final RunForm form;
  private final Denoiser alone;
  private final Conditioning conditioning;
  private final LatentShape shape;
  private final CancelToken cancel;
  private RunQueue queue;
  private CancelToken.Registration registration = () -> {};
  private boolean closed;

  State state = State.IDLE;
  float[] latents;
  double timestep;
  float[] dst;
  long number; // order of joining
  long lastRun; // the queue's count when it last ran, or joined

  SharingDenoiser(
      BatchingDenoiserModel model,
      RunForm form,
      Denoiser alone,
      Conditioning conditioning,
      LatentShape shape,
      CancelToken cancel) {
    this.model = model;
    this.form = form;
    this.alone = alone;
    this.conditioning = conditioning;
    this.shape = shape;
    this.cancel = cancel;
  }

  void join(RunQueue into) {
    queue = into;
    queue.add(this);
  }

  /** From now on the queue hears of a cancellation; outside of any lock. */
  void watch() {
    registration = cancel.onCancel(queue::cancelled);
  }

  RunForm form() {
    return form;
  }

  Conditioning conditioning() {
    return conditioning;
  }

  int rows() {
    return conditioning.branches() * conditioning.batch();
  }

  int images() {
    return shape.batch();
  }

  boolean isCancelled() {
    return cancel.isCancelled();
  }

  void throwIfCancelled() {
    cancel.throwIfCancelled();
  }

  @Override
  public void predict(float[] input, double time, float[] output) {
    cancel.throwIfCancelled();
    queue.begin(this, input, time, output);
    if (!queue.await(this)) {
      alone.predict(input, time, output);
    }
  }

  /** Runs without the others. */
  void predictAlone() {
    alone.predict(latents, timestep, dst);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try (alone) {
        registration.close();
        model.leave(this, queue);
      }
    }
  }
}
