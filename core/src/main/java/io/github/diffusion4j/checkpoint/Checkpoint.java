package io.github.diffusion4j.checkpoint;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.graph.WeightSource;
import io.github.diffusion4j.graph.Weights;
import io.github.diffusion4j.tensor.SafetensorsFile;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A whole model in one safetensors file, in the layout of the original latent diffusion code
 * (Rombach et al. 2022, arXiv 2112.10752) and of SDXL. Each of its networks reads as if it lay in a
 * folder of diffusers: the same names, and a configuration made from the shapes and from what is
 * known of the kind. Immutable and thread-safe; holds nothing open.
 */
public final class Checkpoint {

  private static final System.Logger LOG = System.getLogger(Checkpoint.class.getName());

  /** Files of pickled Python objects, which run code when they are read. */
  private static final List<String> PICKLED = List.of(".ckpt", ".bin", ".pt", ".pth", ".pkl");

  private final Path file;
  private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final CheckpointKind kind;
  private final Map<String, Mapping> networks = new LinkedHashMap<>();
  private final Map<String, Map<String, Object>> configs = new LinkedHashMap<>();

  private Checkpoint(Path file, TensorStore store, CheckpointHints hints) throws IOException {
    this.file = file;
    store.names().forEach(name -> tensors.put(name, store.info(name)));
    this.kind = CheckpointKind.of(file, tensors.keySet());
    kind.prefixes()
        .forEach(
            (component, prefix) ->
                networks.put(
                    component, mapping(StoredNetwork.of(file, tensors, prefix), component, hints)));
    new CheckpointConfig(this, hints)
        .all(store)
        .forEach((name, config) -> configs.put(name, Collections.unmodifiableMap(config)));
    logLeftOver();
  }

  private Mapping mapping(StoredNetwork stored, String component, CheckpointHints hints) {
    return switch (component) {
      case "unet" -> unet(stored);
      case "vae" -> new LdmAutoencoder(stored);
      default ->
          stored.hasAny("transformer.resblocks.")
              ? new OpenClipText(stored, kind != CheckpointKind.SD2, layers(component, hints))
              : new ClipText(stored);
    };
  }

  private Mapping unet(StoredNetwork stored) {
    TensorInfo added = stored.tensors().get(LdmUNet.ADDED);
    if (added != null && !kind.prefixes().containsKey("text_encoder_2")) {
      throw stored.error(
          "its UNet has the tensor \"%s\" of the shape %s, expected no such tensor in a model of kind %s, whose text encoder gives nothing to add to the timestep; take a file whose UNet and text encoder belong together (unCLIP models cannot be run)"
              .formatted(added.name(), added.shape(), kind));
    }
    return new LdmUNet(stored);
  }

  private static Optional<Integer> layers(String component, CheckpointHints hints) {
    Object layers = hints.given().getOrDefault(component, Map.of()).get("num_hidden_layers");
    return layers instanceof Integer number ? Optional.of(number) : Optional.empty();
  }

  /**
   * Whether a path names a model in one file rather than a folder. Does not look into it.
   *
   * @param path of any file
   * @return true for the ending {@code .safetensors}
   * @throws ModelFormatException for a file of pickled Python objects: its endings are refused
   */
  public static boolean isCheckpoint(Path path) {
    String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
    if (PICKLED.stream().anyMatch(name::endsWith)) {
      throw new ModelFormatException(
          path
              + ": files of this kind hold pickled Python objects, which can run any program when"
              + " they are read. Take the model as .safetensors: most repositories have both, or"
              + " convert it in Python with safetensors.torch.save_file(torch.load(FILE,"
              + " weights_only=True)[\"state_dict\"], \"model.safetensors\")");
    }
    return name.endsWith(".safetensors");
  }

  /**
   * Opens a checkpoint.
   *
   * @param file a safetensors file
   * @param hints what the file cannot tell
   * @return what it holds
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it holds something else, or shapes that are not hints
   */
  public static Checkpoint open(Path file, CheckpointHints hints) throws IOException {
    requireNonNull(hints, "hints");
    try (TensorStore store = SafetensorsFile.open(requireNonNull(file, "file"))) {
      return new Checkpoint(file, store, hints);
    }
  }

  /**
   * The file.
   *
   * @return as given
   */
  public Path file() {
    return file;
  }

  /**
   * What model it holds.
   *
   * @return told from the names of its tensors
   */
  public CheckpointKind kind() {
    return kind;
  }

  /**
   * The networks that it holds.
   *
   * @return such as {@code unet}, {@code vae}, {@code text_encoder}
   */
  public Set<String> networks() {
    return Collections.unmodifiableSet(networks.keySet());
  }

  /**
   * A configuration as diffusers would have it in a file.
   *
   * @param component a network, or {@code scheduler}, {@code tokenizer}, {@code model_index}
   * @return keys and values, unmodifiable; empty if the kind has no such component
   */
  public Map<String, Object> config(String component) {
    return configs.getOrDefault(component, Map.of());
  }

  /**
   * A network's weights, left in the file.
   *
   * @param network one of {@link #networks}
   * @return under diffusers' keys
   * @throws ModelFormatException if a tensor has no such key
   */
  public Weights weights(String network) {
    return new CheckpointWeights(file.toString(), mapping(network).weights());
  }

  Mapping mapping(String network) {
    Mapping mapping = networks.get(network);
    if (mapping == null) {
      throw new IllegalArgumentException(
          "network must be one of %s, got %s".formatted(networks.keySet(), network));
    }
    return mapping;
  }

  /**
   * A network's weights as a graph is built from them.
   *
   * @param network one of {@link #networks}
   * @return opens nothing
   */
  public WeightSource source(String network) {
    Weights weights = weights(network);
    return WeightSource.of(file, open -> weights);
  }

  /** What lies beside the networks: schedules, averages of the training, notes of mergers. */
  private void logLeftOver() {
    List<String> prefixes = new ArrayList<>(kind.prefixes().values());
    long others =
        tensors.keySet().stream()
            .filter(name -> prefixes.stream().noneMatch(name::startsWith))
            .count();
    if (others > 0) {
      LOG.log(
          System.Logger.Level.DEBUG,
          "{0}: {1} tensors beside the networks are not used",
          file,
          others);
    }
  }

  @Override
  public String toString() {
    return file + " (" + kind + ")";
  }
}
