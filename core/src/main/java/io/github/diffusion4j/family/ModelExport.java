package io.github.diffusion4j.family;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions.Precision;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OnnxExport;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.OnnxNetwork;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes a model as a folder of ONNX files in the layout of the hub, which ONNX Runtime's CPU and
 * CUDA providers run and which Hugging Face optimum opens in Python. LoRAs of the model are merged
 * into its weights.
 *
 * @param layout the model
 * @param precision what its networks compute in; by itself what their weights are stored as.
 *     Networks that are ONNX files already are copied as they are, but for the weights that a LoRA
 *     changes
 */
public record ModelExport(ModelLayout layout, Precision precision) {

  private static final System.Logger LOG = System.getLogger(ModelExport.class.getName());

  /** Components that a model is not whole without. */
  private static final Pattern NETWORKS =
      Pattern.compile("text_encoder.*|unet|transformer|vae_decoder");

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final String INDEX = "model_index.json";
  private static final List<String> HALVES = List.of("vae_decoder", "vae_encoder");

  /** Files beside the index that belong to a model. */
  private static final Set<String> KEPT = Set.of("generation_config.json", "README.md");

  private static final String RUNTIME = "ORT";

  /** Pipelines of which optimum has a class, which is called like them after {@link #RUNTIME}. */
  private static final Set<String> WITH_RUNTIME =
      Set.of(
          "StableDiffusionPipeline",
          "StableDiffusionImg2ImgPipeline",
          "StableDiffusionInpaintPipeline",
          "StableDiffusionXLPipeline",
          "StableDiffusionXLImg2ImgPipeline",
          "StableDiffusionXLInpaintPipeline",
          "StableDiffusion3Pipeline",
          "StableDiffusion3Img2ImgPipeline",
          "LatentConsistencyModelPipeline",
          "LatentConsistencyModelImg2ImgPipeline",
          "FluxPipeline");

  /** Components that a pipeline can do without. */
  private static final Set<String> DISPENSABLE = Set.of("safety_checker", "image_encoder");

  /** Checks that the parts are there. */
  public ModelExport {
    requireNonNull(layout, "layout");
    requireNonNull(precision, "precision");
  }

  /**
   * Writes the folder: whole, or not at all.
   *
   * @param folder where it is to be: new or empty, in a folder that exists
   * @throws FileAlreadyExistsException if something is in the way
   * @throws IOException if a file cannot be read or written
   * @throws ModelFormatException if the model lacks something, or has a network that cannot be
   *     built
   */
  public void write(Path folder) throws IOException {
    Path target = requireNonNull(folder, "folder").toAbsolutePath().normalize();
    requireFree(target);
    Path temporary = target.resolveSibling("." + UUID.randomUUID() + ".tmp");
    Files.createDirectory(temporary);
    try {
      writeTo(temporary);
      Files.deleteIfExists(target);
      Files.move(temporary, target);
    } catch (IOException | RuntimeException | Error e) {
      try {
        delete(temporary);
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private static void requireFree(Path target) throws IOException {
    if (!Files.exists(target)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new FileAlreadyExistsException(target.toString(), null, "is a file");
    }
    try (Stream<Path> content = Files.list(target)) {
      if (content.findAny().isPresent()) {
        throw new FileAlreadyExistsException(
            target.toString(), null, "is not empty; name a new folder");
      }
    }
  }

  private void writeTo(Path folder) throws IOException {
    ObjectNode index = layout.index().root().deepCopy();
    String pipeline = layout.pipelineClass();
    if (WITH_RUNTIME.contains(pipeline)) {
      index.put("_class_name", RUNTIME + pipeline);
    }
    layout.loras().requireAmong(networks());
    for (String name : names()) {
      if (isNetwork(name)) {
        writeNetwork(name, folder.resolve(name));
      } else if (DISPENSABLE.contains(name)) {
        LOG.log(System.Logger.Level.WARNING, "{0} cannot be exported and is left out", name);
        index.putArray(name).addNull().addNull();
      } else {
        layout.files().write(name, folder.resolve(name));
      }
    }
    for (String name : KEPT) {
      Path file = layout.folder().resolve(name);
      if (Files.isRegularFile(file)) {
        Files.copy(file, folder.resolve(name));
      }
    }
    JSON.writerWithDefaultPrettyPrinter().writeValue(folder.resolve(INDEX).toFile(), index);
  }

  /** The components: those that the index names, an autoencoder by its halves. */
  private List<String> names() {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : layout.index().root().properties()) {
      String name = entry.getKey();
      if (layout.names(name) && entry.getValue().isArray() && !name.equals("vae")) {
        names.add(name);
      }
    }
    HALVES.stream().filter(half -> !names.contains(half)).forEach(names::add);
    return names;
  }

  private Set<String> networks() {
    return names().stream().filter(this::isNetwork).collect(Collectors.toCollection(TreeSet::new));
  }

  private boolean isNetwork(String name) {
    return layout.has(name) || NETWORKS.matcher(name).matches();
  }

  private void writeNetwork(String name, Path folder) throws IOException {
    ComponentNetwork network = layout.network(name);
    List<GraphEdit> edits = network.merged(layout.loras());
    Path onnx = folder.resolve("model.onnx");
    if (network.built().isEmpty()) {
      Path file = network.file().toAbsolutePath();
      if (edits.isEmpty()) {
        copy(file.getParent(), folder);
      } else {
        Set<Path> replaced = new HashSet<>(OnnxFile.read(file).externalFiles());
        replaced.add(file.normalize());
        copy(file.getParent().normalize(), folder, replaced);
        OnnxExport.writeChanged(new OnnxNetwork(file), edits, onnx);
      }
      return;
    }
    Files.createDirectory(folder);
    OnnxExport.write(network.built().get().build(precision, edits), onnx);
    JSON.writerWithDefaultPrettyPrinter()
        .writeValue(folder.resolve("config.json").toFile(), layout.config(name).root());
  }

  /** Copies a folder. */
  static void copy(Path from, Path to) throws IOException {
    copy(from, to, Set.of());
  }

  /** Copies a folder without some of its files. */
  private static void copy(Path from, Path to, Set<Path> without) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(path -> !without.contains(path)).toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectory(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
