package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.Set;

/**
 * An autoencoder's encoder in ONNX Runtime; pictures go through one at a time. Gives {@code
 * latent_parameters} (mean and log variance), or {@code latent_sample} where the network has no
 * doubt or draws the sample itself.
 */
final class OrtImageEncoder {

  private static final String PARAMETERS = "latent_parameters";

  private final TiledNetwork encoder;
  private final TensorSpec output;
  private final TilePlan tiles;
  private final int channels;
  private final int factor;

  /** Checks the network against the autoencoder's latent channels and factor. */
  OrtImageEncoder(OrtModel encoder, int channels, int factor, TilePlan tiles) {
    this.tiles = tiles;
    this.channels = channels;
    this.factor = factor;
    TensorSpec image = encoder.require(encoder.input("sample"), ElementType.FLOATS, Set.of(4));
    output =
        encoder.require(encoder.output(PARAMETERS, "latent_sample"), ElementType.FLOATS, Set.of(4));
    encoder.requireNoOtherInputs(Set.of(image.name()));
    long given = output.dim(1);
    if (given > 0 && given != outputChannels()) {
      throw new ModelFormatException(
          "%s: output %s has %d channels, expected %d for latents of %d"
              .formatted(encoder.component(), output, given, outputChannels(), channels));
    }
    if (image.dim(1) > 0 && image.dim(1) != 3) {
      throw new ModelFormatException(
          encoder.component() + ": input " + image + " has other than 3 channels");
    }
    this.encoder =
        new TiledNetwork(
            encoder,
            new TiledNetwork.Port(image, 3, factor),
            new TiledNetwork.Port(output, outputChannels(), 1));
  }

  private boolean samples() {
    return output.name().equals(PARAMETERS);
  }

  private int outputChannels() {
    return samples() ? 2 * channels : channels;
  }

  LatentDistribution encode(ImageTensor images, CancelToken cancel) {
    int height = images.height() / factor;
    int width = images.width() / factor;
    if (height * factor != images.height() || width * factor != images.width()) {
      throw new IllegalArgumentException(
          "pictures to encode must be a multiple of %d in size, got %d x %d"
              .formatted(factor, images.width(), images.height()));
    }
    LatentShape shape = new LatentShape(images.batch(), channels, height, width);
    float[] values =
        encoder
            .run(images.values(), images.batch(), tiles.grid(height, width, encoder.in()), cancel)
            .values();
    return samples()
        ? LatentDistribution.of(values, shape)
        : LatentDistribution.certain(values, shape);
  }
}
