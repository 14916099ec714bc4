package io.github.diffusion4j.cli;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.StepEvent;
import io.github.diffusion4j.StepListener;
import io.github.diffusion4j.tensor.SafetensorsWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keeps all latents and the decoded image of several generations, one batch row an image, for
 * comparison with another implementation: tensors {@code initial}, {@code step.N} from 0, {@code
 * final} and {@code image} (-1 to 1, [B, 3, H, W]). Not thread-safe.
 */
final class LatentRecording implements StepListener {

  private final Map<String, List<float[]>> parts = new LinkedHashMap<>();
  private LatentShape shape;
  private ImageTensor image;
  private int step;
  private float[] last;

  @Override
  public void onStart(StepEvent event) {
    shape = event.shape();
    step = 0;
    last = event.latents();
    add("initial", last);
  }

  @Override
  public void onStep(StepEvent event) {
    last = event.latents();
    add("step." + step++, last);
  }

  @Override
  public void onDecoded(ImageTensor decoded) {
    add("final", last);
    image = decoded;
    add("image", decoded.values().clone());
  }

  private void add(String name, float[] values) {
    parts.computeIfAbsent(name, key -> new ArrayList<>()).add(values);
  }

  /** All tensors. */
  SafetensorsWriter tensors() {
    SafetensorsWriter writer = new SafetensorsWriter();
    long generations = parts.get("image").size();
    List<Long> latents =
        dimensions(generations * shape.batch(), shape.channels(), shape.height(), shape.width());
    List<Long> images = dimensions(generations * image.batch(), 3, image.height(), image.width());
    parts.forEach(
        (name, arrays) ->
            writer.add(name, name.equals("image") ? images : latents, joined(arrays)));
    return writer;
  }

  private static List<Long> dimensions(long batch, long channels, long height, long width) {
    return List.of(batch, channels, height, width);
  }

  private static float[] joined(List<float[]> arrays) {
    float[] all = new float[arrays.stream().mapToInt(array -> array.length).sum()];
    int at = 0;
    for (float[] array : arrays) {
      System.arraycopy(array, 0, all, at, array.length);
      at += array.length;
    }
    return all;
  }
}
