package io.github.diffusion4j.cli;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.util.List;

/**
 * Several listeners as one.
 *
 * @param all told in this order
 */
record Listeners(List<StepListener> all) implements StepListener {

  /** Copies the list. */
  Listeners {
    all = List.copyOf(all);
  }

  @Override
  public void onStart(StepEvent event) {
    all.forEach(listener -> listener.onStart(event));
  }

  @Override
  public void onStep(StepEvent event) {
    all.forEach(listener -> listener.onStep(event));
  }

  @Override
  public void onDecoded(ImageTensor image) {
    all.forEach(listener -> listener.onDecoded(image));
  }
}
