package io.github.diffusion4j.family;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model's folder as the hub lays it out: model_index.json, and a folder for each component with
 * its config.json and its model.onnx or weights. The only reader of configuration files.
 */
public final class ModelLayout {

  private final Path folder;
  private final ConfigFile index;

  private final List<TextualInversion> inversions;
  private final Map<String, Path> controlNets;

  private ModelLayout(
      Path folder,
      ConfigFile index,
      List<TextualInversion> inversions,
      Map<String, Path> controlNets) {
    this.folder = folder;
    this.index = index;
    this.inversions = List.copyOf(inversions);
    this.controlNets = Collections.unmodifiableMap(new LinkedHashMap<>(controlNets));
  }

  /**
   * Looks at a folder.
   *
   * @param folder of any file system, also inside a zip or jar file
   * @return its layout
   * @throws IOException if there is no such folder
   * @throws ModelFormatException if it does not hold a model
   */
  public static ModelLayout of(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "no model folder there");
    }
    if (!Files.isDirectory(folder)) {
      throw new ModelFormatException(
          folder + ": expected a model folder with model_index.json, found a file");
    }
    ConfigFile index = ConfigFile.read(folder, "model_index.json");
    if (!index.present()) {
      index = PipelineKind.of(folder).map(PipelineKind::index).orElse(index);
    }
    if (!index.present()) {
      throw new ModelFormatException(
          folder
              + ": no model_index.json there. Expected a model in the layout of the Hugging"
              + " Face hub: model_index.json beside text_encoder/, unet/, vae/ …");
    }
    return new ModelLayout(folder, index, List.of(), Map.of());
  }

  /**
   * This folder, to be opened with words of textual inversion.
   *
   * @param words in the order of their tokens
   * @return a copy
   */
  public ModelLayout with(List<TextualInversion> words) {
    return new ModelLayout(folder, index, words, controlNets);
  }

  /**
   * This folder, to be opened with control networks from elsewhere.
   *
   * @param nets by the name that controls call them: folders with model.onnx and config.json
   * @return a copy
   */
  public ModelLayout withControlNets(Map<String, Path> nets) {
    return new ModelLayout(folder, index, inversions, nets);
  }

  /**
   * Control networks: those given, then the model's own folders controlnet, controlnet_1 …
   *
   * @return folders by name, in the order that controls without a name take them
   */
  public Map<String, Path> controlNets() {
    Map<String, Path> all = new LinkedHashMap<>(controlNets);
    String name = "controlnet";
    for (int i = 1; has(name); i++) {
      all.putIfAbsent(name, folder.resolve(name));
      name = "controlnet_" + i;
    }
    return all;
  }

  /**
   * Whether some control networks are from elsewhere.
   *
   * @return true after {@link #withControlNets} with some
   */
  public boolean hasGivenControlNets() {
    return !controlNets.isEmpty();
  }

  /**
   * Words of textual inversion that the model is to know.
   *
   * @return in the order of their tokens, unmodifiable
   */
  public List<TextualInversion> inversions() {
    return inversions;
  }

  /**
   * The folder.
   *
   * @return as given
   */
  public Path folder() {
    return folder;
  }

  /**
   * The model's name.
   *
   * @return the folder's name
   */
  public String name() {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? folder.toString() : name.toString().replace("/", "");
  }

  /**
   * Content of model_index.json.
   *
   * @return present
   */
  public ConfigFile index() {
    return index;
  }

  /**
   * The pipeline class that the model was saved from.
   *
   * @return {@code _class_name} of model_index.json, "" if it has none
   */
  public String pipelineClass() {
    return index.text("_class_name").orElse("");
  }

  /**
   * Whether model_index.json says that the model has a component.
   *
   * @param component folder name such as {@code text_encoder_3}
   * @return false if it is absent there, null, or a list of nulls
   */
  public boolean names(String component) {
    return index
        .value(component)
        .map(entry -> !entry.isArray() || entry.size() > 0 && !entry.path(0).isNull())
        .orElse(false);
  }

  /**
   * Whether the model has a component's network.
   *
   * @param component folder name such as {@code unet}
   * @return true if component/model.onnx is there, or weights of a kind that is built here
   */
  public boolean has(String component) {
    return ComponentNetwork.isThere(folder, component);
  }

  /**
   * A component's network.
   *
   * @param component folder name such as {@code unet}
   * @return its ONNX file, or else its weights
   * @throws ModelFormatException if neither is there, or the weights are of a kind of network that
   *     cannot be built
   */
  public ComponentNetwork network(String component) {
    return ComponentNetwork.find(folder, component)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s: %s/model.onnx is missing, and there are no weights (.safetensors) to build it from%s. Download the whole repository; weights in another format must be saved as safetensors, or exported to ONNX."
                        .formatted(
                            folder,
                            component,
                            Files.isDirectory(folder.resolve(component))
                                ? "; the folder " + component + " is there"
                                : "")));
  }

  /**
   * Several components' networks.
   *
   * @param components folder names
   * @return their networks, all there
   * @throws ModelFormatException if one is missing
   */
  public Map<String, ComponentNetwork> networks(String... components) {
    Map<String, ComponentNetwork> networks = new LinkedHashMap<>();
    for (String component : components) {
      networks.put(component, network(component));
    }
    return networks;
  }

  /**
   * Adds a component that the model may lack.
   *
   * @param networks from {@link #networks}
   * @param component folder name
   * @return the networks, with that component's if it is there
   */
  public Map<String, ComponentNetwork> withOptional(
      Map<String, ComponentNetwork> networks, String component) {
    Map<String, ComponentNetwork> more = new LinkedHashMap<>(networks);
    if (has(component)) {
      more.put(component, network(component));
    }
    return more;
  }

  /**
   * A component's configuration.
   *
   * @param component folder name such as {@code unet}
   * @return config.json, empty if there is none
   */
  public ConfigFile config(String component) {
    return config(component, "config.json");
  }

  /**
   * A component's configuration of another name.
   *
   * @param component folder name
   * @param name file name
   * @return its content, empty if there is none
   */
  public ConfigFile config(String component, String name) {
    return ConfigFile.read(folder, ComponentNetwork.place(folder, component) + "/" + name);
  }

  /**
   * The scheduler's configuration.
   *
   * @return scheduler/scheduler_config.json
   * @throws ModelFormatException if it is missing
   */
  public ConfigFile scheduler() {
    ConfigFile config = ConfigFile.read(folder, "scheduler/scheduler_config.json");
    if (!config.present()) {
      throw new ModelFormatException(folder + ": scheduler/scheduler_config.json is missing");
    }
    return config;
  }

  /**
   * Defaults of a request, as the model's author recommends them.
   *
   * @return generation_config.json, empty if there is none
   */
  public ConfigFile generation() {
    return ConfigFile.read(folder, "generation_config.json");
  }

  /**
   * A file of a component.
   *
   * @param component folder name
   * @param name file name
   * @return the path, there or not
   */
  public Path file(String component, String name) {
    return folder.resolve(component).resolve(name);
  }
}
