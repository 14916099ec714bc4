package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;

/**
 * How a graph computes.
 *
 * @param type precision of all floating point values, inputs and outputs among them
 * @param fusedAttention whether attention, and sums that are normalized, are operators of ONNX
 *     Runtime's own, which its CPU and CUDA providers have; otherwise standard operators
 * @param forCpu whether maps are enlarged in the convolution that follows, and large maps of
 *     decoders computed in parts of their rows; in FLOAT32, measured on the CPU only
 * @param winograd whether large convolutions in FLOAT32 are computed by fewer products ({@link
 *     Winograd}), measured on the CPU only
 * @param changeable whether layers that are matrices have inputs for changes of low rank, asked for
 *     or not ({@link LowRankPath})
 */
public record GraphOptions(
    ElementType type,
    boolean fusedAttention,
    boolean forCpu,
    boolean winograd,
    boolean changeable) {

  /** Checks that the type is of floats. */
  public GraphOptions {
    if (!type.floating() || type == ElementType.FLOAT64) {
      throw new IllegalArgumentException("type must be FLOAT32, FLOAT16 or BFLOAT16, got " + type);
    }
  }

  /**
   * Options of a graph for any provider.
   *
   * @param type precision
   * @param fusedAttention whether to use ONNX Runtime's own operators
   */
  public GraphOptions(ElementType type, boolean fusedAttention) {
    this(type, fusedAttention, false, false, false);
  }
}
