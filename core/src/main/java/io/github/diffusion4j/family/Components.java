package io.github.diffusion4j.family;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import io.github.diffusion4j.scheduler.Schedulers;
import io.github.diffusion4j.tokenizer.Tokenizer;
import io.github.diffusion4j.tokenizer.TokenizerFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The open networks of a model's folder, and the checks and readings that families share. */
final class Components {

  private static final String ENCODER = "text_encoder";
  private static final int CLIP_TOKENS = 77;

  private final ModelLayout layout;
  private final Map<String, Tokenizer> tokenizers = new HashMap<>();
  private final Closer open;
  private Map<String, OrtModel> models = Map.of();

  private Components(ModelLayout layout, Closer open) {
    this.layout = layout;
    this.open = open;
  }

  /**
   * Opens networks.
   *
   * @param names folder names; each must be there
   * @param open closes what is opened, here and later
   */
  static Components open(ModelLayout layout, OrtRuntime runtime, Closer open, String... names)
      throws IOException {
    Map<String, Path> files = layout.onnxFiles(names);
    Components parts = new Components(layout, open);
    parts.models = runtime.open(files, parts.words(files.keySet()), open);
    return parts;
  }

  /** Words of textual inversion for every text encoder, whose tokenizers are opened with them. */
  private Map<String, List<GraphEdit>> words(Set<String> names) throws IOException {
    Map<String, List<GraphEdit>> edits = new HashMap<>();
    int encoders = names.contains(ENCODER + "_2") ? 2 : 1;
    for (String name : names) {
      if (name.startsWith(ENCODER) && !layout.inversions().isEmpty()) {
        String suffix = name.substring(ENCODER.length());
        TextualInversions words =
            new TextualInversions(layout.inversions(), suffix.isEmpty() ? 0 : 1, encoders);
        Tokenizer tokenizer = tokenizer(suffix, positions(suffix), words);
        tokenizers.put(suffix, tokenizer);
        edits.put(name, words.edits(tokenizer));
      }
    }
    return edits;
  }

  ModelLayout layout() {
    return layout;
  }

  OrtModel model(String component) {
    return models.get(component);
  }

  /** A CLIP text encoder with its tokenizer; the suffix is "", "_2", … */
  TextEncoder clip(String suffix) throws IOException {
    Tokenizer known = tokenizers.get(suffix);
    return TextEncoder.ofTokenizersLength(
        known == null ? tokenizer(suffix, positions(suffix), TextualInversions.NONE) : known,
        model(ENCODER + suffix));
  }

  /** A T5 text encoder with its tokenizer; the suffix is "_2" or "_3". */
  TextEncoder t5(String suffix) throws IOException {
    return new TextEncoder(
        tokenizer(suffix, T5Sequence.LONGEST, TextualInversions.NONE), model(ENCODER + suffix));
  }

  private int positions(String suffix) {
    return layout.config(ENCODER + suffix).positive("max_position_embeddings").orElse(CLIP_TOKENS);
  }

  private Tokenizer tokenizer(String suffix, int limit, TextualInversions words)
      throws IOException {
    Path folder = layout.folder().resolve("tokenizer" + suffix);
    try {
      return open.own(words.tokenizer(folder, limit));
    } catch (TokenizerFormatException e) {
      throw new ModelFormatException(e.getMessage(), e);
    }
  }

  /** The autoencoder. */
  OrtLatentCodec codec() {
    return new OrtLatentCodec(model("vae_decoder"), layout.config("vae_decoder"));
  }

  /** Checks that a denoiser's latents are the autoencoder's. */
  void checkLatents(OrtDenoiserModel denoiser, OrtLatentCodec codec) {
    TensorSpec sample = denoiser.sample();
    if (sample.rank() != 4) {
      throw new ModelFormatException(
          "%s: %s input %s has %d dimensions, expected 4"
              .formatted(layout.folder(), denoiser.component(), sample, sample.rank()));
    }
    long channels = sample.dim(1);
    if (channels > 0 && channels != codec.latentChannels()) {
      throw new ModelFormatException(
          "%s: %s input %s has %d channels, but the autoencoder's latents have %d; a UNet with more inputs (inpainting, pix2pix, upscaler) is another kind of model"
              .formatted(
                  layout.folder(), denoiser.component(), sample, channels, codec.latentChannels()));
    }
    for (int axis = 2; axis < 4; axis++) {
      long cells = sample.dim(axis);
      long decoded = codec.latents().dim(axis);
      if (cells > 0 && decoded > 0 && cells != decoded) {
        throw new ModelFormatException(
            "%s: %s input %s and vae_decoder input %s have different fixed sizes"
                .formatted(layout.folder(), denoiser.component(), sample, codec.latents()));
      }
    }
  }

  /** Checks that a denoiser's condition is as wide as what is given to it; -1: nobody knows. */
  void checkWidth(OrtDenoiserModel denoiser, String condition, long given) {
    TensorSpec spec = denoiser.condition(condition);
    long width = spec.dim(-1);
    if (width > 0 && given > 0 && width != given) {
      throw new ModelFormatException(
          "%s: %s input %s is %d wide, but the text encoder gives embeddings %d wide; the components belong to different models"
              .formatted(layout.folder(), denoiser.component(), spec, width, given));
    }
  }

  /** How wide a distilled UNet takes the embedding of the guidance scale. */
  int guidanceWidth(OrtDenoiserModel unet) {
    long declared = unet.condition(GuidanceEmbedding.INPUT).dim(1);
    ConfigFile config = layout.config(unet.component());
    int width = config.positive("time_cond_proj_dim").orElse(declared > 0 ? (int) declared : 256);
    if (width < 4 || declared > 0 && declared != width) {
      throw config.wrong(
          "time_cond_proj_dim",
          "at least 4 and the width of input " + unet.condition(GuidanceEmbedding.INPUT),
          width);
    }
    return width;
  }

  /** The sum of widths; -1 if one is not known. */
  static long sum(long... widths) {
    long sum = 0;
    for (long width : widths) {
      if (width < 0) {
        return -1;
      }
      sum += width;
    }
    return sum;
  }

  /**
   * What a family takes where neither request nor model says.
   *
   * @param family its name
   * @param cells latent cells along each side
   * @param steps number of steps
   * @param guidanceScale guidance scale
   */
  record Defaults(String family, int cells, int steps, double guidanceScale) {}

  /** What the model says of itself. */
  ModelFacts facts(OrtDenoiserModel denoiser, OrtLatentCodec codec, Defaults defaults) {
    TensorSpec sample = denoiser.sample();
    boolean fixed = sample.rank() == 4 && sample.dim(2) > 0 && sample.dim(3) > 0;
    ConfigFile generation = layout.generation();
    ConfigFile config = layout.config(denoiser.component());
    int height = fixed ? (int) sample.dim(2) : cells(config, 0, defaults.cells);
    int width = fixed ? (int) sample.dim(3) : cells(config, 1, defaults.cells);
    return new ModelFacts(
        layout.name(),
        defaults.family,
        generation.positive("width").orElse(width * codec.factor()),
        generation.positive("height").orElse(height * codec.factor()),
        generation.positive("num_inference_steps").orElse(defaults.steps),
        generation.number("guidance_scale").orElse(defaults.guidanceScale),
        fixed,
        schedulerConfig());
  }

  /** Checked here, so that a model with an unknown solver is refused when it is opened. */
  private Map<String, Object> schedulerConfig() {
    ConfigFile file = layout.scheduler();
    Map<String, Object> config = new LinkedHashMap<>(file.toMap());
    try {
      Schedulers.fromConfig(config);
      return config;
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          layout.folder() + ": " + file.name() + ": " + e.getMessage(), e);
    }
  }

  /** sample_size is one number, or height and width. */
  private static int cells(ConfigFile config, int axis, int otherwise) {
    JsonNode size = config.value("sample_size").orElse(null);
    if (size != null && size.isArray()) {
      JsonNode cells = size.path(axis);
      if (!cells.canConvertToInt() || cells.intValue() < 1) {
        throw config.wrong("sample_size", "a positive integer or two", size);
      }
      return cells.intValue();
    }
    return config.positive("sample_size").orElse(otherwise);
  }
}
