package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;

/**
 * How a graph computes.
 *
 * @param type precision of all floating point values, inputs and outputs among them
 * @param fusedAttention whether attention, and sums that are normalized, are operators of ONNX
 *     Runtime's own, which its CPU and CUDA providers have; otherwise standard operators
 */
public record GraphOptions(ElementType type, boolean fusedAttention) {

  /** Checks that the type is of floats. */
  public GraphOptions {
    if (!type.floating() || type == ElementType.FLOAT64) {
      throw new IllegalArgumentException("type must be FLOAT32, FLOAT16 or BFLOAT16, got " + type);
    }
  }
}
