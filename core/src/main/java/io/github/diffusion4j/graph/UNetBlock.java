package io.github.diffusion4j.graph;

import java.util.List;
import java.util.Objects;

/**
 * One block of a UNet: residual networks, each with what follows it, and a change of resolution at
 * the end.
 *
 * @param kind what follows each residual network
 * @param channels width, in channels
 * @param layers residual networks; an up block has one more than its down block, a mid block with
 *     attention has it between its two
 * @param attention its attention
 * @param resampled whether it ends with a convolution that halves or doubles the resolution
 * @param side height and width, in cells, that its maps mostly have
 */
record UNetBlock(
    Kind kind, int channels, int layers, BlockAttention attention, boolean resampled, int side) {

  /** What follows each residual network. */
  enum Kind {
    /** Nothing: {@code DownBlock2D}, {@code UpBlock2D}, {@code UNetMidBlock2D}. */
    PLAIN,
    /** A transformer that reads the text: {@code CrossAttnDownBlock2D} and its like. */
    CROSS_ATTENTION,
    /** Attention among the pixels: {@code AttnDownBlock2D} and its like. */
    ATTENTION
  }

  /**
   * The attention of a block.
   *
   * @param heads attention heads
   * @param contextWidth width of the text's embeddings; 0 without cross-attention
   * @param depths transformer blocks after each residual network; empty without a transformer
   * @param onlyCross whether the first attention reads the text too
   */
  record BlockAttention(int heads, int contextWidth, List<Integer> depths, boolean onlyCross) {

    /** No attention. */
    static final BlockAttention NONE = new BlockAttention(1, 0, List.of(), false);

    BlockAttention {
      depths = List.copyOf(depths);
    }

    /**
     * The same with a transformer.
     *
     * @param transformers transformer blocks after each residual network
     * @return the changed copy
     */
    BlockAttention with(List<Integer> transformers) {
      return new BlockAttention(heads, contextWidth, transformers, onlyCross);
    }

    /**
     * Transformer blocks after a residual network.
     *
     * @param layer its index in the block
     * @return their number
     */
    int depth(int layer) {
      return depths.get(layer);
    }
  }

  UNetBlock {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(attention, "attention");
  }
}
