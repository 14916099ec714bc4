package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import java.util.ArrayList;
import java.util.List;

/** Keeps everything that a generation tells its listener. */
final class Recording implements StepListener {

  float[] initial;
  final List<float[]> steps = new ArrayList<>();
  float[] image;
  private LatentShape shape;

  @Override
  public void onStart(StepEvent event) {
    initial = event.latents();
    shape = event.shape();
  }

  @Override
  public void onStep(StepEvent event) {
    steps.add(event.latents());
  }

  @Override
  public void onDecoded(ImageTensor decoded) {
    image = decoded.values().clone();
  }

  /** Rearranges all latents as transformers read them: [images, patches of 2 x 2, values]. */
  void pack() {
    initial = packed(initial, shape);
    steps.replaceAll(step -> packed(step, shape));
  }

  /** Any number of images of a shape. */
  static float[] packed(float[] latents, LatentShape shape) {
    float[] packed = new float[latents.length];
    int at = 0;
    for (int image = 0; image < latents.length / shape.elements(); image++) {
      for (int y = 0; y < shape.height(); y += 2) {
        for (int x = 0; x < shape.width(); x += 2) {
          for (int channel = 0; channel < shape.channels(); channel++) {
            for (int corner = 0; corner < 4; corner++) {
              int row = (image * shape.channels() + channel) * shape.height() + y + corner / 2;
              packed[at++] = latents[row * shape.width() + x + corner % 2];
            }
          }
        }
      }
    }
    return packed;
  }
}
