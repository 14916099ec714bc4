package io.github.diffusion4j.family;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.graph.Architectures;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.graph.UNet;
import io.github.diffusion4j.graph.WeightSource;
import io.github.diffusion4j.lora.LoraLayers;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NetworkSource;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OnnxNetwork;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The network of a component: an ONNX file, or weights that it is built from.
 *
 * @param component what it is in its model, such as {@code unet}
 * @param file the ONNX file, or the weights
 * @param built how it is built; empty for an ONNX file
 */
public record ComponentNetwork(String component, Path file, Optional<BuiltNetwork> built) {

  private static final String ONNX = "model.onnx";
  private static final String CONFIG = "config.json";
  private static final String INDEX = "model_index.json";
  private static final String AUTOENCODER = "vae";

  /** Checks that the parts are there. */
  public ComponentNetwork {
    requireNonNull(component, "component");
    requireNonNull(file, "file");
    requireNonNull(built, "built");
  }

  /**
   * A network that is built.
   *
   * @param network how
   * @return the network under its own name
   */
  public static ComponentNetwork of(BuiltNetwork network) {
    return new ComponentNetwork(network.component(), network.file(), Optional.of(network));
  }

  /**
   * Looks for a component's network: an ONNX file first, then weights.
   *
   * @param model the model's folder
   * @param component what it is in the model
   * @return empty if there is neither
   * @throws ModelFormatException if there are weights without a config.json, or of a kind of
   *     network that cannot be built here
   */
  static Optional<ComponentNetwork> find(Path model, String component) {
    Path onnx = model.resolve(component).resolve(ONNX);
    if (Files.isRegularFile(onnx)) {
      return Optional.of(new ComponentNetwork(component, onnx, Optional.empty()));
    }
    String place = place(model, component);
    return WeightFile.in(model.resolve(place))
        .map(file -> ComponentNetwork.of(build(model, component, place, file)));
  }

  private static BuiltNetwork build(Path model, String component, String place, Path file) {
    ConfigFile config = config(model, component, place);
    if (!config.present()) {
      throw new ModelFormatException(
          "%s: %s is there, but not %s/config.json, which says what network it belongs to; download the whole repository"
              .formatted(model, file.getFileName(), place));
    }
    return new BuiltNetwork(component, Architectures.of(component, config), WeightSource.of(file));
  }

  /** A configuration; where it names no class that is known, with the class of model_index.json. */
  private static ConfigFile config(Path model, String component, String place) {
    ConfigFile config = ConfigFile.read(model, place + "/" + CONFIG);
    if (!config.present() || Architectures.knows(component, config)) {
      return config;
    }
    JsonNode named = ConfigFile.read(model, INDEX).root().path(place).path(1);
    if (!named.isTextual()) {
      return config;
    }
    ObjectNode root = config.root().deepCopy();
    return new ConfigFile(config.name(), root.set("_class_name", named));
  }

  /** Whether a component's network is there as a file, or as weights that it can be built from. */
  static boolean isThere(Path model, String component) {
    String place = place(model, component);
    return Files.isRegularFile(model.resolve(component).resolve(ONNX))
        || WeightFile.in(model.resolve(place)).isPresent()
            && Architectures.knows(component, config(model, component, place));
  }

  /**
   * The folder of a component. Both halves of an autoencoder may share one, also where folders of
   * their own hold only what other runtimes read; in the repository of an autoencoder that is the
   * model's own.
   */
  static String place(Path model, String component) {
    Path own = model.resolve(component);
    boolean half = component.equals("vae_decoder") || component.equals("vae_encoder");
    if (!half || Files.isRegularFile(own.resolve(ONNX)) || WeightFile.in(own).isPresent()) {
      return component;
    }
    if (!Files.isDirectory(model.resolve(AUTOENCODER)) && WeightFile.in(model).isPresent()) {
      return ".";
    }
    boolean shared =
        !Files.isDirectory(own) || WeightFile.in(model.resolve(AUTOENCODER)).isPresent();
    return shared ? AUTOENCODER : component;
  }

  /** An error about a component that {@link #find} does not find. */
  static ModelFormatException missing(Path model, String component) {
    return new ModelFormatException(
        "%s: %s/model.onnx is missing, and there are no weights (.safetensors) to build it from%s. Download the whole repository; weights in another format must be saved as safetensors, or exported to ONNX."
            .formatted(
                model, component, WeightFile.instead(model.resolve(place(model, component)))));
  }

  /**
   * Opens the network.
   *
   * @param runtime what is to run it
   * @param edits changes of its graph
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is not what it should be
   */
  public OrtModel open(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    return built.isPresent()
        ? runtime.open(component, built.get(), edits)
        : runtime.open(component, file, edits);
  }

  /**
   * Prepares the network, which is not always needed: it is opened when it is first used.
   *
   * @param runtime what is to run it
   * @param edits changes of its graph
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is not what it should be
   */
  public OrtModel openWhenNeeded(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
    return built.isPresent()
        ? runtime.openWhenNeeded(component, built.get(), edits)
        : runtime.openWhenNeeded(component, file, edits);
  }

  /**
   * The network with more inputs or outputs, where it is a UNet that is built.
   *
   * @param change of the UNet
   * @return this network if it is another one
   */
  ComponentNetwork withUNet(UnaryOperator<UNet> change) {
    return built
        .filter(network -> network.architecture() instanceof UNet)
        .map(
            network ->
                of(
                    new BuiltNetwork(
                        component, change.apply((UNet) network.architecture()), network.weights())))
        .orElse(this);
  }

  /**
   * What builds the network's graph.
   *
   * @return for use in another network
   */
  NetworkSource source() {
    return built.isPresent() ? built.get() : new OnnxNetwork(file);
  }

  /**
   * The change of the network that LoRAs are merged into.
   *
   * @throws ModelFormatException if a LoRA is for another kind of model
   */
  List<GraphEdit> merged(LoraSet loras) throws IOException {
    if (loras.of(component).isEmpty()) {
      return List.of();
    }
    Map<String, LowRank> changes = LoraLayers.find(loras, component, source().layers());
    return List.of(new GraphEdit.Merged(loras.toString(), changes));
  }

  /**
   * What the network says of itself, without opening it.
   *
   * @return inputs, outputs, weights
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is not what it should be
   */
  public OnnxFile describe() throws IOException {
    return built.isPresent() ? built.get().describe() : OnnxFile.read(file);
  }

  /**
   * What sessions on the CPU hold beyond the weights.
   *
   * @param winograd whether large convolutions take Winograd's method
   * @return bytes; 0 for an export
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if a file is not what it should be
   */
  public long computedBytes(boolean winograd) throws IOException {
    return built.isPresent() ? built.get().computedBytes(List.of(), winograd) : 0;
  }
}
