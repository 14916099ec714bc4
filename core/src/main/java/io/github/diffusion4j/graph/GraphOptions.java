package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;

/**
 * How a graph computes.
 *
 * @param type precision of all floating point values, inputs and outputs among them
 * @param fusedAttention whether attention, and sums that are normalized, are operators of ONNX
 *     Runtime's own, which its CPU and CUDA providers have; otherwise standard operators
 * @param fewerProducts whether convolutions in FLOAT32 are computed by fewer products where that
 *     takes less time; results differ by rounding, and kernels so taken are up to four times as
 *     large; measured on the CPU only
 */
public record GraphOptions(ElementType type, boolean fusedAttention, boolean fewerProducts) {

  /** Checks that the type is of floats. */
  public GraphOptions {
    if (!type.floating() || type == ElementType.FLOAT64) {
      throw new IllegalArgumentException("type must be FLOAT32, FLOAT16 or BFLOAT16, got " + type);
    }
  }

  /**
   * Options of a graph with plain convolutions.
   *
   * @param type precision
   * @param fusedAttention whether to use ONNX Runtime's own operators
   */
  public GraphOptions(ElementType type, boolean fusedAttention) {
    this(type, fusedAttention, false);
  }
}
