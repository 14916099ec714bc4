package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;

/**
 * How a generation's rows (branches times images) go through networks.
 *
 * @param conditioning of all rows
 * @param shape of one branch's latents
 * @param each rows of one run, which divide all of them
 * @param cancel stops a running network
 */
record Rows(Conditioning conditioning, LatentShape shape, int each, CancelToken cancel) {

  /** How many runs an evaluation takes. */
  int runs() {
    return conditioning.branches() * conditioning.batch() / each;
  }

  /** The same rows, so many in each run. */
  Rows with(int count) {
    return new Rows(conditioning, shape, count, cancel);
  }

  /** The shape of one run's latents. */
  long[] dims() {
    return new long[] {each, shape.channels(), shape.height(), shape.width()};
  }

  /** The shape of one run's timestep. */
  long[] timeDims(TensorSpec timestep) {
    if (timestep.rank() == 0) {
      return new long[0];
    }
    return new long[] {timestep.dim(0) > 0 ? timestep.dim(0) : each};
  }

  /**
   * Wraps a run's part of a condition as a network's input, not yet bound.
   *
   * @param name of the network's input
   * @param first row of the run
   */
  OrtTensor wrap(OrtBinding binding, String name, Conditioning.Input input, int first) {
    int from = input.shared() ? 0 : 1;
    long[] dims = new long[from + input.rowShape().size()];
    for (int i = from; i < dims.length; i++) {
      dims[i] = input.rowShape().get(i - from);
    }
    int at = 0;
    if (!input.shared()) {
      dims[0] = each;
      at = first * input.rowElements();
    }
    OrtTensor tensor = binding.allocate(name, dims);
    tensor.put(input.values(), at, 0, tensor.elements());
    return tensor;
  }

  /**
   * Wraps each row's picture, that of its image, as a network's input, not yet bound.
   *
   * @param name of the network's input
   * @param first row of the run
   */
  OrtTensor picture(OrtBinding binding, String name, ImageTensor picture, int first) {
    int values = 3 * picture.height() * picture.width();
    OrtTensor tensor = binding.allocate(name, each, 3, picture.height(), picture.width());
    for (int row = 0; row < each; row++) {
      int image = (first + row) % shape.batch();
      int of = image * picture.batch() / shape.batch();
      tensor.put(picture.values(), of * values, row * values, values);
    }
    return tensor;
  }

  /** Writes the latents of a run's rows, from any row of any branch. */
  void fill(OrtTensor samples, float[] latents, int first) {
    int image = shape.elements();
    int stride = samples.elements() / each;
    for (int row = 0; row < each; row++) {
      samples.put(latents, (first + row) % shape.batch() * image, row * stride, image);
    }
  }
}
