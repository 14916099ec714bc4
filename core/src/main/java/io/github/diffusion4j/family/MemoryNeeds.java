package io.github.diffusion4j.family;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.FeatureReuse;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.SafetyPolicy;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.UNet;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OnnxType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * What a model takes of memory, estimated from its files without opening it: good to about a third,
 * for the CPU, where numbers of 16 bits are computed in 32. Weights are counted, intermediate
 * results follow from the configurations: attention keeps a score for each pair of tokens, the
 * decoder a few feature maps as large as the picture. Immutable.
 *
 * @param weights bytes of each network's weights in memory, by component
 * @param denoiser what the denoiser's intermediate results follow from
 * @param decoder what the decoder's follow from
 */
public record MemoryNeeds(Map<String, Long> weights, DenoiserMemory denoiser, Decoder decoder) {

  /** The Java virtual machine with its heap and ONNX Runtime, before a network is open. */
  public static final long BASE = 350L << 20;

  /** What allocation by powers of two, and what is between two operators, add. */
  static final double OVERHEAD = 1.5;

  private static final String UNET = "unet";
  private static final Set<String> DENOISERS = Set.of(UNET, "transformer");
  private static final String ABOVE = UNET + " above branch ";
  private static final String TEXT_ENCODER = "text_encoder";
  private static final String DECODER_NAME = "vae_decoder";
  private static final String CONTROL = "controlnet";
  private static final String SAFETY = "safety_checker";

  /** Copies the map. */
  public MemoryNeeds {
    weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
  }

  /**
   * What a decoder's intermediate results follow from.
   *
   * @param factor pixels per latent cell along an axis
   * @param bytesPerPixel of two feature maps
   * @param bytesPerCellPair of attention
   */
  public record Decoder(int factor, long bytesPerPixel, long bytesPerCellPair) {

    double bytes(double pixels) {
      double cells = pixels / ((double) factor * factor);
      return new TilePlan.Memory(bytesPerPixel, bytesPerCellPair).likely(cells, factor);
    }
  }

  /**
   * A generation.
   *
   * @param width in pixels
   * @param height in pixels
   * @param images number of pictures at once
   * @param branches of guidance
   */
  public record Work(int width, int height, int images, int branches) {
    double pixels() {
      return (double) width * height;
    }
  }

  /**
   * Reads a model's files, for options as they usually are.
   *
   * @param layout the model's folder
   * @return what it takes
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  public static MemoryNeeds of(ModelLayout layout) throws IOException {
    return of(layout, RuntimeOptions.defaults());
  }

  /**
   * Reads a model's files.
   *
   * @param layout the model's folder
   * @param options whether there is a safety checker, and what large convolutions take
   * @return what it takes
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  public static MemoryNeeds of(ModelLayout layout, RuntimeOptions options) throws IOException {
    boolean checked = options.safety() != SafetyPolicy.OFF && layout.names(SAFETY);
    Map<String, Long> weights = new LinkedHashMap<>();
    Optional<DenoiserMemory> denoiser = Optional.empty();
    for (String component : layout.networkNames()) {
      if (component.equals(SAFETY) && !checked) {
        continue;
      }
      ComponentNetwork network = layout.network(component);
      OnnxFile file = network.describe();
      weights.put(component, bytes(network, file, options));
      if (DENOISERS.contains(component)) {
        denoiser = Optional.of(DenoiserMemory.of(layout.config(component), file));
      }
    }
    for (Map.Entry<String, Path> net : layout.controlNets().entrySet()) {
      String name = net.getKey().startsWith(CONTROL) ? net.getKey() : CONTROL + " " + net.getKey();
      ComponentNetwork network = ControlNets.network(name, net.getValue());
      weights.put(name, bytes(network, network.describe(), options));
    }
    ConfigFile config = layout.config(DECODER_NAME);
    TilePlan.Memory memory = OrtLatentCodec.memory(config, ElementType.FLOAT32);
    return new MemoryNeeds(
        weights,
        denoiser.orElse(DenoiserMemory.NONE),
        new Decoder(
            OrtLatentCodec.factor(config), memory.bytesPerPixel(), memory.bytesPerCellPair()));
  }

  /**
   * The same where a generation reuses features: with the layers of the UNet that run alone between
   * whole evaluations, and what these keep for themselves.
   *
   * @param layout the model's folder
   * @param options what large convolutions take
   * @param reuse of the generation
   * @return what the model takes then; the same as without where nothing is reused, and for a model
   *     that cannot
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   * @throws IllegalArgumentException if the UNet has no such branch
   */
  public MemoryNeeds reusing(ModelLayout layout, RuntimeOptions options, FeatureReuse reuse)
      throws IOException {
    Optional<BuiltNetwork> unet =
        weights.containsKey(UNET) ? layout.network(UNET).built() : Optional.empty();
    if (!reuse.isOn() || unet.isEmpty() || !(unet.get().architecture() instanceof UNet)) {
      return this;
    }
    List<GraphEdit> above = List.of(new GraphEdit.DeepFeatureInput(reuse.branch()));
    Map<String, Long> all = new LinkedHashMap<>(weights);
    all.put(
        ABOVE + reuse.branch(),
        bytes(unet.get().describe(above)) + unet.get().computedBytes(above, options.winograd()));
    return new MemoryNeeds(all, denoiser.withFirstLevelAlone(), decoder);
  }

  /**
   * The same where a generation has LoRAs of its own: networks that they may change are opened once
   * more, beside the others where all are resident, but for those that have inputs for them at all
   * times.
   *
   * @param layout the model's folder
   * @param options when networks get inputs for LoRAs
   * @return what the model takes then; without the second session that a LoRA of convolutions needs
   * @throws IOException if a file cannot be read
   */
  public MemoryNeeds changedByLoras(ModelLayout layout, RuntimeOptions options) throws IOException {
    Map<String, Long> all = new LinkedHashMap<>(weights);
    for (Map.Entry<String, Long> entry : weights.entrySet()) {
      String component = entry.getKey();
      boolean changes = DENOISERS.contains(component) || component.startsWith(TEXT_ENCODER);
      if (changes && !hasLoraInputs(layout.network(component), options)) {
        all.put("changed " + component, entry.getValue());
      }
    }
    return new MemoryNeeds(all, denoiser, decoder);
  }

  private static boolean hasLoraInputs(ComponentNetwork network, RuntimeOptions options)
      throws IOException {
    return network.built().isPresent()
        && network.built().get().hasLoraInputs(options.loraInputs(), options.precision());
  }

  /**
   * The same after an earlier generation, where all networks stay open: of layers above a cut only
   * the latest stay.
   *
   * @param earlier what was open before
   * @return what both have opened
   */
  public MemoryNeeds keeping(MemoryNeeds earlier) {
    Map<String, Long> all = new LinkedHashMap<>(earlier.weights);
    if (weights.keySet().stream().anyMatch(name -> name.startsWith(ABOVE))) {
      all.keySet().removeIf(name -> name.startsWith(ABOVE));
    }
    all.putAll(weights);
    boolean more = denoiser.networks() > earlier.denoiser.networks();
    return new MemoryNeeds(all, more ? denoiser : earlier.denoiser, decoder);
  }

  /** In memory, with what is computed from the weights. */
  private static long bytes(ComponentNetwork network, OnnxFile file, RuntimeOptions options)
      throws IOException {
    return bytes(file) + network.computedBytes(options.winograd());
  }

  /** In memory: small floats become large ones. */
  private static long bytes(OnnxFile file) {
    long bytes = 0;
    for (Map.Entry<OnnxType, Long> count : file.elements().entrySet()) {
      OnnxType type = count.getKey();
      boolean widened = type == OnnxType.FLOAT16 || type == OnnxType.BFLOAT16;
      long bits = widened ? OnnxType.FLOAT32.bits() : type.bits();
      bytes += Math.multiplyExact(count.getValue(), bits) / 8;
    }
    return bytes;
  }

  /**
   * Intermediate results of the denoiser.
   *
   * @param work the generation
   * @param batching how guidance's branches run
   * @return bytes
   */
  public long denoising(Work work, BranchBatching batching) {
    int rows = work.images * (batching == BranchBatching.TOGETHER ? work.branches : 1);
    double cells = work.pixels() / ((double) decoder.factor * decoder.factor);
    return (long) (OVERHEAD * rows * denoiser.bytesOfRow(cells));
  }

  /**
   * Intermediate results of the decoder, which takes one picture after the other.
   *
   * @param work the generation
   * @param tiled whether in tiles
   * @return bytes
   */
  public long decoding(Work work, boolean tiled) {
    double tile = (double) MemoryPlan.TILE * MemoryPlan.TILE;
    return (long) decoder.bytes(tiled ? Math.min(tile, work.pixels()) : work.pixels());
  }

  /**
   * The most memory that a generation takes.
   *
   * @param plan how it is spent
   * @param work the generation
   * @return bytes of the whole process
   */
  public long peak(MemoryPlan plan, Work work) {
    long decoding = besideDecoding(plan, work) + decoding(work, plan.tiled());
    if (plan.residency() == Residency.ALL) {
      return decoding;
    }
    long texts = BASE + sum(TEXT_ENCODER);
    long denoiser = BASE + sum(UNET) + sum("transformer") + sum(CONTROL);
    long denoising = denoiser + denoising(work, plan.batching());
    long checking = BASE + sum(SAFETY);
    return LongStream.of(texts, denoising, decoding, checking).max().orElseThrow();
  }

  /**
   * What is in memory beside the decoder's intermediate results.
   *
   * @param plan how memory is spent
   * @param work the generation
   * @return bytes of the whole process
   */
  public long besideDecoding(MemoryPlan plan, Work work) {
    return plan.residency() == Residency.ALL
        ? BASE + alwaysResident() + denoising(work, plan.batching()) // the denoiser keeps it
        : BASE + decoderWeights();
  }

  /**
   * Weights of what every picture needs and what stays open where all networks are resident.
   *
   * @return bytes
   */
  public long alwaysResident() {
    return weights.entrySet().stream()
        .filter(entry -> !entry.getKey().equals("vae_encoder"))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }

  /**
   * Weights of the autoencoder's decoder.
   *
   * @return bytes
   */
  public long decoderWeights() {
    return weights.getOrDefault(DECODER_NAME, 0L);
  }

  private long sum(String start) {
    return weights.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(start))
        .mapToLong(Map.Entry::getValue)
        .sum();
  }
}
