package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentCodec;
import io.github.diffusion4j.LatentDistribution;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.TensorSpec;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** An autoencoder in ONNX Runtime; pictures go through one at a time, which bounds its memory. */
final class OrtLatentCodec implements LatentCodec {

  /** Side of tiles of autoencoders that do not say what they were trained on, in pixels. */
  private static final int USUAL_SIZE = 512;

  private final TiledNetwork decoder;
  private final TensorSpec latents;
  private final TilePlan tiles;
  private final int channels;
  private final int factor;
  private final double[] gain; // of each channel, decoding
  private final double[] offset; // likewise, added after
  private final Optional<OrtImageEncoder> encoder;

  /**
   * Both halves of an autoencoder: {@code vae_decoder} and, where the model has it, {@code
   * vae_encoder}. Takes the latents' geometry and scaling from its configuration.
   */
  OrtLatentCodec(Map<String, OrtModel> models, ConfigFile config) {
    this(models.get("vae_decoder"), Optional.ofNullable(models.get("vae_encoder")), config);
  }

  private OrtLatentCodec(OrtModel decoder, Optional<OrtModel> encoder, ConfigFile config) {
    this.latents = decoder.require(decoder.input("latent_sample"), ElementType.FLOATS, Set.of(4));
    TensorSpec image = decoder.require(decoder.output("sample"), ElementType.FLOATS, Set.of(4));
    decoder.requireNoOtherInputs(Set.of(latents.name()));
    this.channels = channels(decoder, config);
    this.factor = factor(config);
    this.decoder =
        new TiledNetwork(
            decoder,
            new TiledNetwork.Port(latents, channels, 1),
            new TiledNetwork.Port(image, 3, factor));
    this.tiles =
        new TilePlan(
            decoder.options().vaeTiling(), factor, ownTile(config), memory(config, image.type()));
    boolean tiny = config.text("_class_name").orElse("").equals("AutoencoderTiny");
    double scaling = config.number("scaling_factor").orElse(tiny ? 1.0 : 0.18215);
    if (scaling == 0) {
      throw config.wrong("scaling_factor", "a number other than 0", scaling);
    }
    boolean measured =
        config.value("latents_mean").isPresent() && config.value("latents_std").isPresent();
    this.gain = perChannel(config, "latents_std", measured, 1);
    this.offset =
        perChannel(config, "latents_mean", measured, config.number("shift_factor").orElse(0.0));
    for (int channel = 0; channel < channels; channel++) {
      if (!(gain[channel] > 0)) {
        throw config.wrong("latents_std", "positive numbers", gain[channel]);
      }
      gain[channel] /= scaling;
    }
    if (image.dim(1) > 0 && image.dim(1) != 3) {
      throw new ModelFormatException(
          decoder.component() + ": output " + image + " has other than 3 channels");
    }
    this.encoder = encoder.map(model -> new OrtImageEncoder(model, channels, factor, tiles));
  }

  private OrtLatentCodec(OrtLatentCodec other, TilePlan tiles) {
    this.tiles = tiles;
    decoder = other.decoder;
    latents = other.latents;
    channels = other.channels;
    factor = other.factor;
    gain = other.gain;
    offset = other.offset;
    encoder = other.encoder;
  }

  /** One number for each channel, where the latents were measured; else the same for all. */
  private double[] perChannel(ConfigFile config, String key, boolean measured, double otherwise) {
    double[] values = new double[channels];
    Arrays.fill(values, otherwise);
    if (measured) {
      JsonNode list = config.value(key).orElseThrow();
      if (!list.isArray() || list.size() != channels) {
        throw config.wrong(key, "a list of " + channels + " numbers", list);
      }
      for (int channel = 0; channel < channels; channel++) {
        if (!list.get(channel).isNumber() || !Double.isFinite(list.get(channel).doubleValue())) {
          throw config.wrong(key, "a list of finite numbers", list);
        }
        values[channel] = list.get(channel).doubleValue();
      }
    }
    return values;
  }

  private int channels(OrtModel decoder, ConfigFile config) {
    long declared = latents.dim(1);
    int configured = config.positive("latent_channels").orElse(declared > 0 ? (int) declared : 4);
    if (declared > 0 && declared != configured) {
      throw new ModelFormatException(
          "%s: input %s has %d channels, but %s says latent_channels %d"
              .formatted(decoder.component(), latents, declared, config.name(), configured));
    }
    return configured;
  }

  private int ownTile(ConfigFile config) {
    JsonNode size = config.value("sample_size").orElse(null);
    int pixels = size == null ? USUAL_SIZE : (size.isArray() ? size.path(0) : size).asInt(0);
    if (pixels < 1) {
      throw config.wrong("sample_size", "a positive integer or two", size);
    }
    return Math.max(2, pixels / factor);
  }

  /** Input and output of one convolution of the last, full-size block; attention in the middle. */
  static TilePlan.Memory memory(ConfigFile config, ElementType type) {
    int width =
        config
            .value("block_out_channels")
            .or(() -> config.value("decoder_block_out_channels"))
            .map(blocks -> blocks.path(0).asInt(1))
            .orElse(1);
    boolean attention =
        config.value("mid_block_add_attention").map(JsonNode::asBoolean).orElse(true)
            && !config.text("_class_name").orElse("").equals("AutoencoderTiny");
    return new TilePlan.Memory(
        2L * type.bytes() * Math.max(1, width), attention ? type.bytes() : 0);
  }

  /** Each block after the first halves the picture. */
  static int factor(ConfigFile config) {
    int blocks =
        config
            .length("block_out_channels")
            .or(() -> config.length("encoder_block_out_channels"))
            .orElse(4);
    if (blocks < 1 || blocks > 8) {
      throw config.wrong("block_out_channels", "a list of 1 to 8 blocks", blocks + " blocks");
    }
    return 1 << (blocks - 1);
  }

  /** The latents' spec: NCHW. */
  TensorSpec latents() {
    return latents;
  }

  @Override
  public int factor() {
    return factor;
  }

  @Override
  public int latentChannels() {
    return channels;
  }

  @Override
  public LatentCodec withMemoryLimit(long bytes) {
    return new OrtLatentCodec(this, tiles.withMemoryLimit(bytes));
  }

  @Override
  public long decodeBytes(int width, int height) {
    return (long) tiles.least(tiles.grid(height / factor, width / factor, decoder.in()));
  }

  @Override
  public boolean encodes() {
    return encoder.isPresent();
  }

  @Override
  public LatentDistribution encode(ImageTensor images, CancelToken cancel) {
    return encoder
        .orElseThrow(() -> new IllegalArgumentException("this model has no vae_encoder"))
        .encode(images, cancel);
  }

  @Override
  public void scale(float[] encoded, LatentShape shape) {
    int cells = shape.height() * shape.width();
    for (int i = 0; i < encoded.length; i++) {
      int channel = i / cells % channels;
      encoded[i] = (float) ((encoded[i] - offset[channel]) / gain[channel]);
    }
  }

  @Override
  public ImageTensor decode(float[] x, LatentShape shape, CancelToken cancel) {
    if (shape.channels() != channels || x.length != shape.total()) {
      throw new IllegalArgumentException(
          "this autoencoder's latents have %d channels, got %d values of %s"
              .formatted(channels, x.length, shape));
    }
    int cells = shape.height() * shape.width();
    float[] scaled = new float[shape.total()];
    for (int i = 0; i < scaled.length; i++) {
      int channel = i / cells % channels;
      scaled[i] = (float) (x[i] * gain[channel] + offset[channel]);
    }
    TileGrid grid = tiles.grid(shape.height(), shape.width(), decoder.in());
    TiledNetwork.Output output = decoder.run(scaled, shape.batch(), grid, cancel);
    return new ImageTensor(
            output.values(), shape.batch(), shape.height() * factor, shape.width() * factor)
        .with(output.decoding());
  }
}
