package io.github.diffusion4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.checkpoint.Checkpoint;
import io.github.diffusion4j.checkpoint.CheckpointKind;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorStore;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a safetensors file holds that is no model by itself.
 *
 * @param file the file
 * @param kind what it seems to be
 * @param tensors all tensors
 * @param metadata text beside them
 */
record TensorInspection(
    Path file, String kind, List<TensorInfo> tensors, Map<String, String> metadata) {

  /** Longest value of metadata that is shown whole. */
  private static final int SHOWN = 100;

  /** Copies the collections. */
  TensorInspection {
    tensors = List.copyOf(tensors);
    metadata = new TreeMap<>(metadata);
  }

  /** Whether a path is a safetensors file that is not a whole model. */
  static boolean isAllThereIs(Path path) throws IOException {
    if (!Files.isRegularFile(path) || !Checkpoint.isCheckpoint(path)) {
      return false;
    }
    try (TensorStore store = TensorStore.open(path)) {
      return !CheckpointKind.isModel(store.names());
    }
  }

  static TensorInspection of(Path file) throws IOException {
    try (TensorStore store = TensorStore.open(file)) {
      List<TensorInfo> tensors = new ArrayList<>();
      store.names().forEach(name -> tensors.add(store.info(name)));
      return new TensorInspection(
          file, CheckpointKind.describe(store.names()), tensors, store.metadata());
    }
  }

  /** Elements of each type. */
  private Map<TensorType, Long> types() {
    Map<TensorType, Long> types = new EnumMap<>(TensorType.class);
    tensors.forEach(tensor -> types.merge(tensor.type(), tensor.elements(), Math::addExact));
    return types;
  }

  /** Readable lines. */
  String toText() throws IOException {
    StringBuilder text = new StringBuilder();
    Inspection.line(text, "file", file + ", " + Inspection.megabytes(Files.size(file)));
    Inspection.line(text, "holds", kind);
    types()
        .forEach(
            (type, count) ->
                Inspection.line(
                    text, "parameters", String.format(Locale.ROOT, "%,d of %s", count, type)));
    metadata.forEach((key, value) -> Inspection.line(text, "  " + key, shortened(value)));
    Inspection.line(text, "tensors", Integer.toString(tensors.size()));
    tensors.forEach(
        tensor -> text.append("  ").append(line(tensor)).append(System.lineSeparator()));
    return text.toString();
  }

  private static String line(TensorInfo tensor) {
    return tensor.name() + " " + tensor.type() + tensor.shape();
  }

  private static String shortened(String value) {
    return value.length() <= SHOWN ? value : value.substring(0, SHOWN) + "…";
  }

  /** One JSON object. */
  ObjectNode json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("file", file.toString()).put("kind", kind);
    ObjectNode counts = root.putObject("parameters");
    types().forEach((type, count) -> counts.put(type.name(), count));
    ObjectNode texts = root.putObject("metadata");
    metadata.forEach(texts::put);
    ObjectNode all = root.putObject("tensors");
    for (TensorInfo tensor : tensors) {
      ObjectNode one = all.putObject(tensor.name()).put("type", tensor.type().name());
      tensor.shape().forEach(one.putArray("shape")::add);
    }
    return root;
  }
}
