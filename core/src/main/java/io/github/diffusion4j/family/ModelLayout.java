package io.github.diffusion4j.family;

import io.github.diffusion4j.Lora;
import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.TextualInversion;
import io.github.diffusion4j.checkpoint.Checkpoint;
import io.github.diffusion4j.checkpoint.CheckpointHints;
import io.github.diffusion4j.config.ConfigFile;
import io.github.diffusion4j.lora.LoraFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model's folder as the hub lays it out: model_index.json, and a folder for each component with
 * its config.json and its model.onnx or weights; or a checkpoint in one file, which reads the same.
 * The only reader of configuration files.
 */
public final class ModelLayout {

  private final ModelFiles files;
  private final ConfigFile index;

  private final Additions additions;

  /** What a model is opened with beside its folder. */
  private record Additions(
      List<TextualInversion> inversions,
      Map<String, Path> controlNets,
      LoraSet loras,
      Optional<Path> loraFolder) {
    static final Additions NONE =
        new Additions(List.of(), Map.of(), LoraSet.NONE, Optional.empty());

    Additions {
      inversions = List.copyOf(inversions);
      controlNets = Collections.unmodifiableMap(new LinkedHashMap<>(controlNets));
    }
  }

  private ModelLayout(ModelFiles files, ConfigFile index, Additions additions) {
    this.files = files;
    this.index = index;
    this.additions = additions;
  }

  /**
   * Looks at a folder, or at a checkpoint in one file.
   *
   * @param model a folder of any file system, also inside a zip or jar file; or a safetensors file
   *     that holds a whole model of Stable Diffusion 1 or 2 or SDXL
   * @return its layout
   * @throws IOException if there is nothing, or it cannot be read
   * @throws ModelFormatException if it does not hold a model
   */
  public static ModelLayout of(Path model) throws IOException {
    return of(model, CheckpointHints.NONE);
  }

  /**
   * Looks at a checkpoint in one file, knowing more of it than it says itself.
   *
   * @param model a safetensors file; of a folder the hints are not heeded
   * @param hints what is known
   * @return its layout
   * @throws IOException if there is nothing, or it cannot be read
   * @throws ModelFormatException if it does not hold a model
   */
  public static ModelLayout of(Path model, CheckpointHints hints) throws IOException {
    if (!Files.exists(model)) {
      throw new NoSuchFileException(model.toString(), null, "no model there" + ofHub(model));
    }
    if (Files.isDirectory(model)) {
      return ofFolder(model);
    }
    if (!Checkpoint.isCheckpoint(model)) {
      throw new ModelFormatException(
          model + ": expected a model's folder or a .safetensors file, found another file");
    }
    CheckpointFiles files = new CheckpointFiles(Checkpoint.open(model, hints), hints);
    return new ModelLayout(files, files.config("model_index.json"), Additions.NONE);
  }

  /** What to do where a path looks like the name of a repository: an owner and a model. */
  private static String ofHub(Path model) {
    String name = model.toString().replace('\\', '/');
    return name.matches("[\\w-]+/[\\w.-]+")
        ? ". Models are folders or files on this computer, nothing is downloaded; if this is a repository of the Hugging Face hub, get it with `git lfs install` and `git clone https://huggingface.co/%s`, and give its folder"
            .formatted(name)
        : "";
  }

  private static ModelLayout ofFolder(Path folder) {
    ConfigFile index = ConfigFile.read(folder, "model_index.json");
    if (!index.present()) {
      index = PipelineKind.of(folder).map(PipelineKind::index).orElse(index);
    }
    if (!index.present()) {
      throw new ModelFormatException(
          folder
              + ": no model_index.json there. Expected a model in the layout of the Hugging"
              + " Face hub: model_index.json beside text_encoder/, unet/, vae/ …"
              + (Files.isRegularFile(folder.resolve("config.json"))
                  ? "; this seems to be one of its components: give the folder above it"
                  : ""));
    }
    return new ModelLayout(new FolderFiles(folder), index, Additions.NONE);
  }

  /**
   * This folder, to be opened with words of textual inversion.
   *
   * @param words in the order of their tokens
   * @return a copy
   */
  public ModelLayout with(List<TextualInversion> words) {
    return new ModelLayout(
        files,
        index,
        new Additions(words, additions.controlNets, additions.loras, additions.loraFolder));
  }

  /**
   * This folder, to be opened with control networks from elsewhere.
   *
   * @param nets by the name that controls call them: folders with config.json and model.onnx or
   *     weights (.safetensors), or ONNX files
   * @return a copy
   */
  public ModelLayout withControlNets(Map<String, Path> nets) {
    return new ModelLayout(
        files,
        index,
        new Additions(additions.inversions, nets, additions.loras, additions.loraFolder));
  }

  /**
   * This folder, to be opened with LoRAs merged into its weights: for good, and as fast as without.
   * LoRAs that change from request to request belong to the requests.
   *
   * @param loras in order; their changes add up
   * @return a copy
   * @throws IOException if a file cannot be read
   * @throws ModelFormatException if one is not a LoRA
   */
  public ModelLayout withLoras(List<Lora> loras) throws IOException {
    LoraSet read = new LoraFiles().read(loras);
    LoraSet named =
        Families.find(this).map(family -> family.named(read)).orElse(read); // none: told on opening
    return new ModelLayout(
        files,
        index,
        new Additions(additions.inversions, additions.controlNets, named, additions.loraFolder));
  }

  /**
   * This folder, to be opened with a folder in which requests find LoRAs by name.
   *
   * @param loras holds safetensors files
   * @return a copy
   * @throws IOException if there is no such folder
   */
  public ModelLayout withLoraFolder(Path loras) throws IOException {
    if (!Files.isDirectory(loras)) {
      throw new NoSuchFileException(loras.toString(), null, "no folder of LoRAs there");
    }
    return new ModelLayout(
        files,
        index,
        new Additions(
            additions.inversions, additions.controlNets, additions.loras, Optional.of(loras)));
  }

  /**
   * LoRAs to be merged into the model's weights.
   *
   * @return their changes, empty if there are none
   */
  public LoraSet loras() {
    return additions.loras;
  }

  /**
   * Where requests find LoRAs by name.
   *
   * @return a folder, empty if none was given
   */
  public Optional<Path> loraFolder() {
    return additions.loraFolder;
  }

  /**
   * Control networks: those given, then the model's own folders controlnet, controlnet_1 …
   *
   * @return folders by name, in the order that controls without a name take them
   */
  public Map<String, Path> controlNets() {
    Map<String, Path> all = new LinkedHashMap<>(additions.controlNets);
    String name = "controlnet";
    for (int i = 1; has(name); i++) {
      all.putIfAbsent(name, folder().resolve(name));
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
    return !additions.controlNets.isEmpty();
  }

  /**
   * Words of textual inversion that the model is to know.
   *
   * @return in the order of their tokens, unmodifiable
   */
  public List<TextualInversion> inversions() {
    return additions.inversions;
  }

  /**
   * The folder, or the file of a checkpoint.
   *
   * @return as given
   */
  public Path folder() {
    return files.place();
  }

  ModelFiles files() {
    return files;
  }

  /**
   * The model's name.
   *
   * @return the name of its folder or file
   */
  public String name() {
    Path name = folder().toAbsolutePath().normalize().getFileName();
    return name == null
        ? folder().toString()
        : name.toString().replace("/", "").replaceFirst("(?i)\\.safetensors$", "");
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
    return files.has(component);
  }

  /**
   * The components with a network.
   *
   * @return sorted names
   * @throws IOException if the folder cannot be read
   */
  public List<String> networkNames() throws IOException {
    return files.networks();
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
    return files
        .network(component)
        .orElseThrow(() -> ComponentNetwork.missing(folder(), component));
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
    return files.config(component, name);
  }

  /**
   * The scheduler's configuration.
   *
   * @return scheduler/scheduler_config.json
   * @throws ModelFormatException if it is missing
   */
  public ConfigFile scheduler() {
    ConfigFile config = files.config("scheduler", "scheduler_config.json");
    if (!config.present()) {
      throw new ModelFormatException(folder() + ": scheduler/scheduler_config.json is missing");
    }
    return config;
  }

  /**
   * Defaults of a request, as the model's author recommends them.
   *
   * @return generation_config.json, empty if there is none
   */
  public ConfigFile generation() {
    return files.config("generation_config.json");
  }

  /**
   * A file of a component.
   *
   * @param component folder name
   * @param name file name
   * @return the path, there or not
   */
  public Path file(String component, String name) {
    return folder().resolve(component).resolve(name);
  }
}
