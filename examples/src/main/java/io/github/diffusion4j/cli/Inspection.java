package io.github.diffusion4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.ModelFacts;
import io.github.diffusion4j.family.Families;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.onnx.OnnxFile;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a model's folder says, as text and as JSON.
 *
 * @param layout the folder
 * @param family kind of model
 * @param components its parts
 * @param scheduler content of scheduler_config.json
 */
record Inspection(
    ModelLayout layout, String family, List<Component> components, Map<String, Object> scheduler) {

  /** Copies the list. */
  Inspection {
    components = List.copyOf(components);
  }

  static Inspection of(ModelLayout layout) throws IOException {
    return new Inspection(
        layout, Families.of(layout).name(), Component.of(layout), layout.scheduler().toMap());
  }

  /** What the parts allow. */
  List<String> tasks() {
    String pipeline = layout.pipelineClass();
    boolean encodes = layout.has("vae_encoder");
    if (pipeline.contains("Inpaint")) {
      return encodes ? List.of("inpainting") : List.of();
    } else if (pipeline.contains("Pix2Pix")) {
      return encodes ? List.of("changing pictures as told") : List.of();
    } else if (pipeline.contains("Upscale")) {
      return List.of("upscaling");
    }
    List<String> tasks = new ArrayList<>();
    boolean texts = layout.has("text_encoder") || layout.has("text_encoder_2");
    tasks.add(texts ? "text to image" : "pictures of its kind");
    if (encodes) {
      tasks.addAll(List.of("image to image", "inpainting"));
    }
    return tasks;
  }

  /** Files that the networks need and that are not there. */
  List<Path> missingFiles() {
    return components.stream()
        .flatMap(component -> component.network().stream())
        .flatMap(network -> network.externalFiles().stream())
        .filter(file -> !Files.isRegularFile(file))
        .toList();
  }

  /** Readable lines. */
  String toText() {
    StringBuilder text = new StringBuilder();
    line(text, "model", layout.folder().toString());
    line(text, "family", family + " (" + layout.pipelineClass() + ")");
    line(
        text, "can do", tasks().isEmpty() ? "nothing: no vae_encoder" : String.join(", ", tasks()));
    missingFiles().forEach(file -> line(text, "missing", file.toString()));
    for (Component component : components) {
      text.append(System.lineSeparator());
      line(text, component.name(), summary(component));
      component
          .network()
          .ifPresent(
              network -> {
                network.inputs().forEach(input -> line(text, "  input", input.toString()));
                network.outputs().forEach(output -> line(text, "  output", output.toString()));
              });
      if (component.name().equals("scheduler")) {
        scheduler.forEach(
            (key, value) -> {
              if (!key.startsWith("_")) {
                line(text, "  config", key + " = " + value);
              }
            });
      }
    }
    return text.toString();
  }

  /** Neither class nor size of a part that has no folder of its own. */
  private static String summary(Component component) {
    List<String> parts = new ArrayList<>();
    if (!component.className().isEmpty()) {
      parts.add(component.className());
    }
    if (component.bytes() > 0) {
      parts.add(megabytes(component.bytes()));
    }
    component
        .network()
        .ifPresent(
            network ->
                parts.add(
                    String.format(
                        Locale.ROOT,
                        "%,d parameters (%s), opset %s",
                        network.parameters(),
                        types(network),
                        network.opset())));
    return String.join(", ", parts);
  }

  private static String types(OnnxFile network) {
    long all = Math.max(1, network.parameters());
    return network.elements().entrySet().stream()
        .filter(entry -> entry.getKey().isParameter())
        .sorted(Map.Entry.comparingByValue(java.util.Comparator.reverseOrder()))
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    "%s %.1f%%",
                    typeName(entry.getKey()),
                    100.0 * entry.getValue() / all))
        .collect(Collectors.joining(", "));
  }

  private static String typeName(Enum<?> type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  static String megabytes(long bytes) {
    return bytes < 100_000
        ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3)
        : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }

  static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "%-16s %s%n", name, value));
  }

  /** The lines on a model's own defaults. */
  static String defaults(ModelFacts facts) {
    StringBuilder text = new StringBuilder(System.lineSeparator());
    String size = facts.width() + " x " + facts.height() + " pixels";
    line(text, "default size", size + (facts.fixedSize() ? " (fixed)" : ""));
    line(text, "default steps", Integer.toString(facts.steps()));
    line(text, "default guidance", Double.toString(facts.guidanceScale()));
    return text.toString();
  }

  /** One JSON object, with the model's defaults where it was opened. */
  ObjectNode json(Optional<ModelFacts> opened) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("model", layout.folder().toString()).put("family", family);
    root.put("pipeline", layout.pipelineClass());
    tasks().forEach(root.putArray("tasks")::add);
    missingFiles().forEach(file -> root.withArray("missing_files").add(file.toString()));
    opened.ifPresent(
        facts ->
            root.putObject("defaults")
                .put("width", facts.width())
                .put("height", facts.height())
                .put("fixed_size", facts.fixedSize())
                .put("steps", facts.steps())
                .put("guidance_scale", facts.guidanceScale()));
    root.putPOJO("scheduler", scheduler);
    ObjectNode parts = root.putObject("components");
    components.forEach(component -> parts.set(component.name(), json(component)));
    return root;
  }

  private static ObjectNode json(Component component) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("class", component.className()).put("bytes", component.bytes());
    component
        .network()
        .ifPresent(
            network -> {
              node.put("opset", network.opset()).put("producer", network.producer());
              node.put("nodes", network.nodes()).put("parameters", network.parameters());
              ObjectNode constants = node.putObject("constants");
              network.elements().forEach((type, count) -> constants.put(typeName(type), count));
              tensors(node.putObject("inputs"), network.inputs());
              tensors(node.putObject("outputs"), network.outputs());
            });
    return node;
  }

  private static void tensors(ObjectNode node, List<TensorSpec> tensors) {
    for (TensorSpec tensor : tensors) {
      ObjectNode one = node.putObject(tensor.name()).put("type", typeName(tensor.type()));
      for (int axis = 0; axis < tensor.rank(); axis++) {
        long size = tensor.dim(axis);
        if (size >= 0) {
          one.withArray("shape").add(size);
        } else {
          one.withArray("shape").add(tensor.dimensionNames().get(axis));
        }
      }
    }
  }
}
