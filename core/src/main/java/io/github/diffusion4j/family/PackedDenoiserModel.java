package io.github.diffusion4j.family;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.Denoiser;
import io.github.diffusion4j.DenoiserModel;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.LoraSet;
import java.util.List;

/**
 * A transformer that reads latents as a sequence of patches of 2 x 2 cells, each with its place,
 * and time from 0 to 1. Latents are packed on their way in and unpacked on their way out.
 *
 * @param network takes hidden_states [rows, patches, 4 · channels]
 * @param trainSteps timestep that the network knows as 1
 */
record PackedDenoiserModel(DenoiserModel network, int trainSteps) implements DenoiserModel {

  /** Cells of a patch along each axis. */
  static final int PATCH = 2;

  /** The places of patches: [patches, 3], an unused number, row and column. */
  static final String IMAGE_PLACES = "img_ids";

  /** The places of text tokens: [tokens, 3], all 0. */
  static final String TEXT_PLACES = "txt_ids";

  private static final String TEXT = "encoder_hidden_states";
  private static final int AXES = 3;

  @Override
  public DenoiserModel with(LoraSet loras) {
    return new PackedDenoiserModel(network.with(loras), trainSteps);
  }

  @Override
  public Denoiser bind(
      Conditioning conditioning, LatentShape shape, BranchBatching batching, CancelToken cancel) {
    int high = shape.height() / PATCH;
    int wide = shape.width() / PATCH;
    int patches = high * wide;
    int tokens = conditioning.input(TEXT).rowShape().get(0);
    float[] places = new float[patches * AXES];
    for (int patch = 0; patch < patches; patch++) {
      places[patch * AXES + 1] = patch / wide;
      places[patch * AXES + 2] = patch % wide;
    }
    Conditioning placed =
        conditioning.with(
            Conditioning.Input.shared(IMAGE_PLACES, places, List.of(patches, AXES)),
            Conditioning.Input.shared(
                TEXT_PLACES, new float[tokens * AXES], List.of(tokens, AXES)));
    LatentShape packed =
        new LatentShape(shape.batch(), 1, patches, shape.channels() * PATCH * PATCH);
    Denoiser inner = network.bind(placed, packed, batching, cancel);
    return new Packing(inner, shape, conditioning.branches(), trainSteps);
  }

  /** One generation's packing and unpacking. */
  private static final class Packing implements Denoiser {

    private final Denoiser inner;
    private final double trainSteps;
    private final int[] source; // of each packed value of one image
    private final float[] in;
    private final float[] out;

    Packing(Denoiser inner, LatentShape shape, int branches, double trainSteps) {
      this.inner = inner;
      this.trainSteps = trainSteps;
      this.source = source(shape);
      this.in = new float[shape.total()];
      this.out = new float[shape.total() * branches];
    }

    /** By patch, then channel, then the patch's rows and columns. */
    private static int[] source(LatentShape shape) {
      int[] source = new int[shape.elements()];
      int at = 0;
      for (int y = 0; y < shape.height(); y += PATCH) {
        for (int x = 0; x < shape.width(); x += PATCH) {
          for (int channel = 0; channel < shape.channels(); channel++) {
            for (int row = y; row < y + PATCH; row++) {
              for (int column = x; column < x + PATCH; column++) {
                source[at++] = (channel * shape.height() + row) * shape.width() + column;
              }
            }
          }
        }
      }
      return source;
    }

    @Override
    public void predict(float[] latents, double timestep, float[] dst) {
      for (int image = 0; image < in.length; image += source.length) {
        for (int i = 0; i < source.length; i++) {
          in[image + i] = latents[image + source[i]];
        }
      }
      inner.predict(in, timestep / trainSteps, out);
      for (int row = 0; row < out.length; row += source.length) {
        for (int i = 0; i < source.length; i++) {
          dst[row + source[i]] = out[row + i];
        }
      }
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
