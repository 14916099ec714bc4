package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.util.ArrayList;
import java.util.List;

/** Keeps everything that a generation tells its listener. */
final class Recording implements StepListener {

  float[] initial;
  final List<float[]> steps = new ArrayList<>();
  float[] image;

  @Override
  public void onStart(StepEvent event) {
    initial = event.latents();
  }

  @Override
  public void onStep(StepEvent event) {
    steps.add(event.latents());
  }

  @Override
  public void onDecoded(ImageTensor decoded) {
    image = decoded.values().clone();
  }
}
