package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import java.util.List;
import java.util.Optional;

/**
 * What a UNet's config.json says, with the defaults of diffusers: {@code UNet2DConditionModel},
 * {@code UNet2DModel} and the encoder half of {@code ControlNetModel}. A value that is not built is
 * an error that names it.
 *
 * @param input how pictures enter
 * @param time embedding of the timestep
 * @param extra what else is added to the embedding of the timestep
 * @param resnet what all residual networks share
 * @param transformer what all transformers share
 * @param down blocks from the finest resolution to the coarsest
 * @param mid blocks at the coarsest resolution: one, or none
 * @param up blocks back to the finest resolution; empty in a ControlNet
 * @param output how pictures leave
 */
record UNetConfig(
    Convolution input,
    TimeConfig time,
    EmbeddingConfig extra,
    ResnetConfig resnet,
    TransformerConfig transformer,
    List<UNetBlock> down,
    List<UNetBlock> mid,
    List<UNetBlock> up,
    Convolution output) {

  /**
   * A convolution at the border.
   *
   * @param channels channels of the picture's side
   * @param kernel side of the kernel, odd
   * @param centered whether the picture is first scaled from 0…1 to -1…1
   */
  record Convolution(int channels, int kernel, boolean centered) {}

  /**
   * Embedding of the timestep.
   *
   * @param fourier random frequencies that the weights hold, not the fixed sinusoidal ones
   * @param logarithm whether random frequencies read the logarithm
   * @param cosineFirst whether cosines come before sines
   * @param frequencyShift subtracted from the number of frequencies where they are spaced
   * @param sinusoids width of the sinusoidal embedding
   * @param width width of the embedding that the blocks read
   * @param activation between its two layers
   * @param postActivation after the second layer; empty for none
   * @param finalActivation after the sum of all embeddings; empty for none
   * @param conditionWidth width of the input {@code timestep_cond}; 0 for none
   * @param divideOutput whether the output is divided by the timestep
   */
  record TimeConfig(
      boolean fourier,
      boolean logarithm,
      boolean cosineFirst,
      double frequencyShift,
      int sinusoids,
      int width,
      String activation,
      String postActivation,
      String finalActivation,
      int conditionWidth,
      boolean divideOutput) {}

  /** How class labels are embedded. */
  enum ClassEmbedding {
    /** No class labels. */
    NONE,
    /** A row of a table for each label. */
    TABLE,
    /** As a timestep. */
    TIMESTEP,
    /** Already an embedding. */
    IDENTITY,
    /** Through two layers. */
    PROJECTION,
    /** Through one layer. */
    SIMPLE_PROJECTION
  }

  /** What is added to the embedding of the timestep for the whole prompt. */
  enum Addition {
    /** Nothing. */
    NONE,
    /** The text's embeddings, pooled by attention. */
    TEXT,
    /** A pooled embedding and sizes: SDXL. */
    TEXT_TIME
  }

  /**
   * Embeddings besides that of the timestep.
   *
   * @param classes how class labels are embedded
   * @param classSize rows of the table, or width of the labels' input; 0 where it does not matter
   * @param classesConcatenated whether their embedding is put beside, not added
   * @param addition what the prompt adds
   * @param additionSinusoids width of the sinusoidal embedding of each size
   * @param additionWidth width of pooled embedding and embedded sizes together, or of the text
   * @param additionHeads heads of the pooling attention
   * @param textWidth width of the text's embeddings that come in; 0 without text
   * @param textProjected whether a layer takes them to the width that attention reads
   */
  record EmbeddingConfig(
      ClassEmbedding classes,
      int classSize,
      boolean classesConcatenated,
      Addition addition,
      int additionSinusoids,
      int additionWidth,
      int additionHeads,
      int textWidth,
      boolean textProjected) {}

  /**
   * What all residual networks share.
   *
   * @param groups groups of their normalization
   * @param epsilon added to the variance
   * @param activation their activation
   * @param scaleShift whether the embedding scales and shifts, not only shifts
   * @param midScale divisor of the mid block's sums
   * @param downsamplePadding 1, or 0 for one row below and one column to the right
   */
  record ResnetConfig(
      int groups,
      double epsilon,
      String activation,
      boolean scaleShift,
      double midScale,
      int downsamplePadding) {}

  /**
   * What all transformers share.
   *
   * @param linearProjection whether layers, not convolutions, lead in and out
   * @param upcast whether half precision attention is computed in float32
   */
  record TransformerConfig(boolean linearProjection, boolean upcast) {}

  UNetConfig {
    down = List.copyOf(down);
    mid = List.copyOf(mid);
    up = List.copyOf(up);
  }

  /**
   * Reads a configuration.
   *
   * @param config a UNet's config.json
   * @return what it says
   * @throws ModelFormatException if a value is wrong or not built
   */
  static UNetConfig of(ConfigFile config) {
    return new UNetConfigReader(config).unet();
  }

  /**
   * Width that the blocks read the summed embeddings with.
   *
   * @return channels
   */
  int embeddingWidth() {
    return extra.classesConcatenated() ? 2 * time.width() : time.width();
  }

  /**
   * Whether the text is an input.
   *
   * @return true if some block reads it
   */
  boolean readsText() {
    return extra.textWidth() > 0;
  }

  /**
   * Width of the finest resolution.
   *
   * @return channels
   */
  int firstChannels() {
    return down.get(0).channels();
  }

  /**
   * Width of the coarsest resolution.
   *
   * @return channels
   */
  int lastChannels() {
    return down.get(down.size() - 1).channels();
  }

  /**
   * Layers of the half that goes up.
   *
   * @return as many as results go across
   */
  int upLayers() {
    return up.stream().mapToInt(UNetBlock::layers).sum();
  }

  /**
   * Width of what a layer of the half that goes up reads from below.
   *
   * @param layer counted over all blocks, from the coarsest resolution on
   * @return channels
   */
  int channelsBelow(int layer) {
    int channels = lastChannels();
    int left = layer;
    for (int i = 0; i < up.size() && left > 0; i++) {
      channels = up.get(i).channels();
      left -= up.get(i).layers();
    }
    return channels;
  }

  /**
   * The mid block.
   *
   * @return empty if there is none
   */
  Optional<UNetBlock> midBlock() {
    return mid.stream().findFirst();
  }
}
