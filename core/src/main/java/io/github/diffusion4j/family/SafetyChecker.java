package io.github.diffusion4j.family;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.image.ImageProcessor;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.OrtTensor;
import io.github.diffusion4j.onnx.TensorSpec;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A model's safety checker: a network that compares CLIP's reading of a finished picture with
 * concepts that are not to be shown. It is wrong now and then, in both directions. Thread-safe, but
 * not to be closed while it is used.
 */
public final class SafetyChecker implements AutoCloseable {

  private static final System.Logger LOG = System.getLogger(SafetyChecker.class.getName());

  private static final String COMPONENT = "safety_checker";
  private static final String EXTRACTOR = "feature_extractor";
  private static final String CONFIG = "preprocessor_config.json";

  private final OrtModel model;
  private final ImageProcessor processor;
  private final TensorSpec features;
  private final Optional<TensorSpec> pictures;
  private final TensorSpec flag;

  private SafetyChecker(OrtModel model, ImageProcessor processor) {
    this.model = model;
    this.processor = processor;
    this.features = model.require(model.input("clip_input"), ElementType.FLOATS, Set.of(4));
    this.pictures =
        Optional.ofNullable(model.inputs().get("images"))
            .map(spec -> model.require(spec, ElementType.FLOATS, Set.of(4)));
    this.flag =
        model.require(
            model.output("has_nsfw_concepts", "has_nsfw_concept"),
            Set.of(ElementType.BOOL),
            Set.of(1));
    model.requireNoOtherInputs(Set.of(features.name(), "images"));
    processor
        .crop()
        .ifPresent(
            size -> {
              if (!features.accepts(1, 3, size.height(), size.width())) {
                throw new ModelFormatException(
                    "%s: input %s does not take the %d x %d pixels that %s/%s gives"
                        .formatted(
                            COMPONENT, features, size.width(), size.height(), EXTRACTOR, CONFIG));
              }
            });
  }

  /**
   * Opens a safety checker by itself.
   *
   * @param folder has safety_checker/model.onnx, or safetensors and config.json there; and
   *     feature_extractor/preprocessor_config.json
   * @param options provider, threads and memory
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is missing or not what it should be
   */
  public static SafetyChecker load(Path folder, RuntimeOptions options) throws IOException {
    requireNonNull(folder, "folder");
    return open(new FolderFiles(folder), OrtRuntime.of(requireNonNull(options, "options")));
  }

  /**
   * Opens a model's safety checker.
   *
   * @param layout the model's folder
   * @param runtime opens its network
   * @return owned by the caller; empty if the model names none in model_index.json, or if neither
   *     its ONNX file nor its weights are there
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is not what it should be
   */
  public static Optional<SafetyChecker> of(ModelLayout layout, OrtRuntime runtime)
      throws IOException {
    if (!layout.names(COMPONENT)) {
      return Optional.empty();
    }
    if (!layout.has(COMPONENT)) {
      warn(layout);
      return Optional.empty();
    }
    return Optional.of(open(layout.files(), runtime));
  }

  /** Says why a folder that is there is no checker. */
  private static void warn(ModelLayout layout) {
    if (Files.isDirectory(layout.folder().resolve(COMPONENT))) {
      try {
        layout.network(COMPONENT);
      } catch (ModelFormatException e) {
        LOG.log(System.Logger.Level.WARNING, "pictures are not checked: {0}", e.getMessage());
      }
    }
  }

  private static SafetyChecker open(ModelFiles files, OrtRuntime runtime) throws IOException {
    ConfigFile config = files.config(EXTRACTOR, CONFIG);
    if (!config.present()) {
      throw new ModelFormatException(
          files.place()
              + ": "
              + config.name()
              + " is missing, without which the safety checker sees nothing; download it, or turn"
              + " the safety checker off");
    }
    ImageProcessor processor = new ImageProcessorConfig(config).processor();
    ComponentNetwork network =
        files
            .network(COMPONENT)
            .orElseThrow(() -> ComponentNetwork.missing(files.place(), COMPONENT));
    OrtModel model = network.openWhenNeeded(runtime, List.of());
    try {
      return new SafetyChecker(model, processor);
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
  }

  /**
   * What the network is given of a picture.
   *
   * @param image any picture
   * @return [3, height, width] row-major
   */
  public ImageProcessor.Pixels features(BufferedImage image) {
    return processor.process(image);
  }

  /**
   * Whether a picture shows what it should not.
   *
   * @param image any picture; unchanged
   * @param cancel stops the running network
   * @return true if the network says so
   */
  public boolean flags(BufferedImage image, CancelToken cancel) {
    ImageProcessor.Pixels seen = features(image);
    try (OrtBinding binding = model.bind(cancel)) {
      binding.input(features.name(), 1, 3, seen.height(), seen.width()).put(seen.values());
      pictures.ifPresent(spec -> given(spec, image, binding));
      OrtTensor flagged = binding.output(flag.name(), 1);
      binding.run();
      return flagged.isTrue(0);
    }
  }

  /** The picture that the network would paint black: NHWC in [0, 1]. */
  private static void given(TensorSpec spec, BufferedImage image, OrtBinding binding) {
    int width = image.getWidth();
    int height = image.getHeight();
    float[] values = new float[3 * width * height];
    int[] row = new int[width];
    for (int y = 0, at = 0; y < height; y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int pixel : row) {
        values[at++] = (pixel >> 16 & 0xff) / 255f;
        values[at++] = (pixel >> 8 & 0xff) / 255f;
        values[at++] = (pixel & 0xff) / 255f;
      }
    }
    binding.input(spec.name(), 1, height, width, 3).put(values);
  }

  @Override
  public void close() {
    model.close();
  }
}
