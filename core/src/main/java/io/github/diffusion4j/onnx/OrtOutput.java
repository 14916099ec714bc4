package io.github.diffusion4j.onnx;

/** Values of one output, copied out of the runtime; the arrays belong to the caller. */
public final class OrtOutput {

  private final float[] values;
  private final long[] shape;

  OrtOutput(float[] values, long[] shape) {
    this.values = values;
    this.shape = shape;
  }

  /**
   * All values, row-major.
   *
   * @return the array itself
   */
  public float[] values() {
    return values;
  }

  /**
   * One dimension.
   *
   * @param axis 0 to rank - 1, or negative, from the end
   * @return its size
   */
  public int dim(int axis) {
    return Math.toIntExact(shape[axis < 0 ? shape.length + axis : axis]);
  }

  /**
   * Number of dimensions.
   *
   * @return 0 for a scalar
   */
  public int rank() {
    return shape.length;
  }
}
