package io.github.diffusion4j.family;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.ImagePrompt;
import io.github.diffusion4j.ImagePromptEncoder;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.image.ImageProcessor;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtOutput;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The IP-Adapter of a UNet that was exported with one (Ye et al. 2023, arXiv 2308.06721): CLIP's
 * reading of pictures goes to an input of the UNet. The image encoder is checked when the model is
 * opened and opened when a request first asks for it. Thread-safe, but not to be closed while it is
 * used.
 */
final class IpAdapter implements ImagePromptEncoder, AutoCloseable {

  /** The UNet's input for the scale, where the export has one. */
  static final String SCALE = "ip_adapter_scale";

  private static final List<String> EMBEDDINGS = List.of("image_embeds", "ip_hidden_states");
  private static final String ENCODER = "image_encoder";
  private static final String PIXELS = "pixel_values";
  private static final String OUTPUT = "image_embeds";
  private static final String EXTRACTOR = "feature_extractor";
  private static final String CONFIG = "preprocessor_config.json";

  /** What the UNet takes: embeddings, and a scale where it has that input. */
  private record Inputs(TensorSpec embeddings, Optional<TensorSpec> scale) {}

  /** What pictures became: one row for each, of the dimensions that the UNet takes. */
  private record Encoded(List<float[]> rows, List<Integer> shape, double scale) {}

  private final OrtRuntime runtime;
  private final ComponentNetwork network;
  private final ImageProcessor processor;
  private final Inputs inputs;
  private final int width;
  private final Closer owned = new Closer();
  private Optional<OrtModel> encoder = Optional.empty();

  private IpAdapter(
      OrtRuntime runtime, ComponentNetwork network, ImageProcessor processor, Inputs inputs)
      throws IOException {
    this.runtime = runtime;
    this.network = network;
    this.processor = processor;
    this.inputs = inputs;
    OnnxFile file = network.describe();
    find(file.inputs(), PIXELS, file);
    int given = (int) find(file.outputs(), OUTPUT, file).dim(-1);
    int taken = (int) inputs.embeddings.dim(-1);
    if (given > 0 && taken > 0 && given != taken || given <= 0 && taken <= 0) {
      throw new ModelFormatException(
          "%s: output %s is %d wide, but the UNet's input %s is %d wide (-1: not told); the image encoder must be the one that the IP-Adapter was trained with"
              .formatted(file.file(), OUTPUT, given, inputs.embeddings, taken));
    }
    width = Math.max(given, taken);
  }

  /**
   * The adapter of a UNet.
   *
   * @return owned by the caller; empty if the UNet has no input for one
   * @throws ModelFormatException if the UNet has one, but the model no encoder that fits it
   */
  static Optional<IpAdapter> of(ModelLayout layout, OrtRuntime runtime, OrtModel unet)
      throws IOException {
    Optional<TensorSpec> embeddings =
        EMBEDDINGS.stream()
            .filter(unet.inputs()::containsKey)
            .map(name -> unet.require(unet.input(name), ElementType.FLOATS, Set.of(2, 3, 4)))
            .findFirst();
    if (embeddings.isEmpty()) {
      return Optional.empty();
    }
    Optional<TensorSpec> scale =
        Optional.ofNullable(unet.inputs().get(SCALE))
            .map(spec -> unet.require(spec, ElementType.FLOATS, Set.of(0, 1)));
    ConfigFile config = layout.config(EXTRACTOR, CONFIG);
    if (!layout.has(ENCODER) || !config.present()) {
      throw new ModelFormatException(
          "%s: the UNet has an input %s for an IP-Adapter, but %s is missing; put the adapter's image encoder (weights with config.json, or model.onnx) and its %s into the model's folder"
              .formatted(
                  layout.folder(),
                  embeddings.get(),
                  layout.has(ENCODER) ? EXTRACTOR + "/" + CONFIG : ENCODER,
                  CONFIG));
    }
    ImageProcessor processor = new ImageProcessorConfig(config).processor();
    Inputs inputs = new Inputs(embeddings.get(), scale);
    return Optional.of(new IpAdapter(runtime, layout.network(ENCODER), processor, inputs));
  }

  private static TensorSpec find(Collection<TensorSpec> specs, String name, OnnxFile file) {
    return specs.stream()
        .filter(spec -> spec.name().equals(name) && spec.rank() >= 2)
        .findFirst()
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s: no \"%s\" of 2 or more dimensions, which an image encoder has; found %s"
                        .formatted(file.file(), name, specs)));
  }

  /** The UNet's inputs that belong to the adapter. */
  List<String> names() {
    return Stream.concat(Stream.of(inputs.embeddings), inputs.scale.stream())
        .map(TensorSpec::name)
        .toList();
  }

  @Override
  public void check(GenerationRequest request) {
    if (inputs.scale.isPresent()) {
      return;
    }
    double scale =
        request
            .imagePrompt()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "the UNet always reads an image prompt, for it has no input %s that turns it off; give one"
                            .formatted(SCALE)))
            .scale();
    if (scale != 1) {
      throw new IllegalArgumentException(
          "scale of the image prompt must be 1, for the UNet was exported without an input %s, got %s"
              .formatted(SCALE, scale));
    }
  }

  @Override
  public UnaryOperator<Conditioning> encode(GenerationRequest request, CancelToken cancel) {
    Encoded encoded = request.imagePrompt().map(p -> encode(p, cancel)).orElseGet(this::nothing);
    return conditioning -> told(conditioning, encoded);
  }

  private Encoded nothing() {
    List<Integer> shape = new ArrayList<>();
    for (int axis = 1; axis < inputs.embeddings.rank() - 1; axis++) {
      shape.add((int) Math.max(1, inputs.embeddings.dim(axis)));
    }
    shape.add(width);
    float[] zeros = new float[shape.stream().reduce(1, Math::multiplyExact)];
    return new Encoded(List.of(zeros), shape, 0);
  }

  private Encoded encode(ImagePrompt prompt, CancelToken cancel) {
    List<float[]> rows = new ArrayList<>();
    List<Integer> shape = List.of();
    try (OrtBinding binding = encoder().bind(cancel)) {
      for (BufferedImage picture : prompt.pictures().images()) {
        ImageProcessor.Pixels seen = processor.process(picture);
        binding.input(PIXELS, 1, 3, seen.height(), seen.width()).put(seen.values());
        OrtOutput output = binding.fetch(Set.of(OUTPUT)).get(OUTPUT);
        shape = shape(output);
        rows.add(output.values());
      }
    }
    return new Encoded(rows, shape, prompt.scale());
  }

  /** An encoder's dimensions of a picture, with as many 1 before them as the UNet takes more. */
  private List<Integer> shape(OrtOutput output) {
    int more = inputs.embeddings.rank() - output.rank();
    List<Integer> shape = new ArrayList<>(Collections.nCopies(Math.max(0, more), 1));
    for (int axis = 1; axis < output.rank(); axis++) {
      shape.add(output.dim(axis));
    }
    boolean fits = output.dim(0) == 1 && shape.size() == inputs.embeddings.rank() - 1;
    for (int axis = 0; fits && axis < shape.size(); axis++) {
      long taken = inputs.embeddings.dim(axis + 1);
      fits = taken < 0 || taken == shape.get(axis);
    }
    if (!fits) {
      throw new ModelFormatException(
          "%s: output %s gives %d x %s for one picture, which the UNet's input %s does not take"
              .formatted(ENCODER, OUTPUT, output.dim(0), shape, inputs.embeddings));
    }
    return shape;
  }

  private Conditioning told(Conditioning prompts, Encoded encoded) {
    int each = encoded.rows.get(0).length;
    int batch = prompts.batch();
    float[] values = new float[prompts.branches() * batch * each];
    for (int row = prompts.branches() > 1 ? batch : 0; row * each < values.length; row++) {
      int picture = row % batch * encoded.rows.size() / batch;
      System.arraycopy(encoded.rows.get(picture), 0, values, row * each, each);
    }
    Conditioning told =
        prompts.with(new Conditioning.Input(inputs.embeddings.name(), values, encoded.shape));
    return inputs
        .scale
        .map(
            spec ->
                told.with(
                    Conditioning.Input.shared(
                        SCALE,
                        new float[] {(float) encoded.scale},
                        Collections.nCopies(spec.rank(), 1))))
        .orElse(told);
  }

  private synchronized OrtModel encoder() {
    if (encoder.isEmpty()) {
      try (Closer open = new Closer()) {
        OrtModel opened = open.own(network.open(runtime, List.of()));
        opened.require(opened.input(PIXELS), ElementType.FLOATS, Set.of(4));
        opened.require(opened.output(OUTPUT), ElementType.FLOATS, Set.of(2, 3, 4));
        opened.requireNoOtherInputs(Set.of(PIXELS));
        owned.own(open.release());
        encoder = Optional.of(opened);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return encoder.get();
  }

  @Override
  public synchronized void close() {
    encoder = Optional.empty();
    owned.close();
  }
}
