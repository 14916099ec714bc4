package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtTensor;

/**
 * How a generation's rows (branches times images) go through networks.
 *
 * @param conditioning of all rows
 * @param shape of one branch's latents
 * @param each rows of one run, which divide all of them
 * @param cancel stops a running network
 */
record Rows(Conditioning conditioning, LatentShape shape, int each, CancelToken cancel) {

  int runs() {
    return conditioning.branches() * conditioning.batch() / each;
  }

  /**
   * Wraps rows of a condition as a network's input.
   *
   * @param first row
   * @param count of rows
   */
  static OrtTensor wrap(OrtBinding binding, Conditioning.Input input, int first, int count) {
    int from = input.shared() ? 0 : 1;
    long[] dims = new long[from + input.rowShape().size()];
    for (int i = from; i < dims.length; i++) {
      dims[i] = input.rowShape().get(i - from);
    }
    int at = 0;
    if (!input.shared()) {
      dims[0] = count;
      at = first * input.rowElements();
    }
    OrtTensor tensor = binding.allocate(input.name(), dims);
    tensor.put(input.values(), at, 0, tensor.elements());
    return tensor;
  }

  /** Writes the latents of each row, from any row of any branch. */
  void fill(OrtTensor samples, float[] latents, int first, int count) {
    int image = shape.elements();
    int stride = samples.elements() / count;
    for (int row = 0; row < count; row++) {
      samples.put(latents, (first + row) % shape.batch() * image, row * stride, image);
    }
  }
}
