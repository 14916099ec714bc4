package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.schema.StringStringEntryProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The weights that a graph's layers asked for, and the checks that all and only these are there.
 */
final class WeightTable {

  /** Shorter weights in memory go into the model itself. */
  private static final int SMALL = 1 << 12;

  /** Missing weights after which no more layers are tried. */
  private static final int HOPELESS = 10_000;

  /** Keys that a message names at most. */
  private static final int NAMED = 8;

  private final Graph graph;
  private final String network;
  private final Weights weights;
  private final Map<String, Weight> initializers = new LinkedHashMap<>();
  private final Map<String, Value> values = new HashMap<>();
  private final Set<String> used = new TreeSet<>();
  private final Set<String> missing = new TreeSet<>();

  /** Where all weights are, once a graph is complete. */
  record Placed(
      List<TensorProto> tensors, Optional<Path> folder, Map<String, BuiltModel.Buffer> buffers) {}

  WeightTable(Graph graph, String network, Weights weights) {
    this.graph = graph;
    this.network = network;
    this.weights = requireNonNull(weights, "weights");
  }

  boolean has(String key) {
    return weights.find(key).isPresent();
  }

  /** Dimensions of a stored weight; 0 if it is missing. */
  int rank(String key) {
    return weights.find(key).map(weight -> weight.seen().size()).orElse(0);
  }

  /** A weight in the precision of a module. */
  Value value(String key, ElementType type, long[] stored, long[] seen) {
    used.add(key);
    Value raw = raw(key, stored, seen);
    return values.computeIfAbsent(raw.name() + " " + type, absent -> converted(raw, type));
  }

  /** A weight in equal parts along its first axis, each read from its own place. */
  List<Value> parts(String key, ElementType type, int parts, long[] shape) {
    Optional<Weight> found = weights.find(key, shape);
    if (found.isEmpty() || found.get().transposed()) {
      return value(key, type, shape, shape).split(0, parts);
    }
    used.add(key);
    Weight whole = checked(key, found.get(), shape);
    List<Value> values = new ArrayList<>();
    long rows = shape[0] / parts;
    for (int i = 0; i < parts; i++) {
      Weight part = aligned(whole.rows(i * rows, (i + 1) * rows));
      String name = "%s[%d/%d]".formatted(key, i, parts);
      initializers.put(name, part);
      long[] seen = shape.clone();
      seen[0] = rows;
      values.add(converted(new Value(graph, name, type(part.type()), seen), type));
    }
    return values;
  }

  /** As stored, but for the shape. */
  private Value raw(String key, long[] stored, long[] seen) {
    Optional<Weight> found = weights.find(key, stored);
    if (found.isEmpty()) {
      missing.add(key);
      if (missing.size() > HOPELESS) { // of another model, or sizes that no model has
        requireAll();
      }
      return new Value(graph, key, ElementType.FLOAT32, seen);
    }
    Weight weight = checked(key, found.get(), stored);
    boolean same = Arrays.equals(stored, seen);
    String name = same ? key : key + Arrays.toString(seen);
    initializers.computeIfAbsent(name, absent -> aligned(same ? weight : weight.reshaped(seen)));
    long[] shape = initializers.get(name).shape().stream().mapToLong(Long::longValue).toArray();
    return new Value(graph, name, type(weight.type()), shape);
  }

  private Value converted(Value raw, ElementType type) {
    Weight weight = initializers.get(raw.name());
    if (weight == null) { // missing, which is reported later
      return new Value(graph, raw.name(), type, raw.shape());
    }
    Value value = raw.cast(type);
    return weight.transposed() ? value.transpose(1, 0) : value;
  }

  private Weight checked(String key, Weight weight, long[] expected) {
    if (!weight.seen().equals(Graph.list(expected))) {
      throw new ModelFormatException(
          ("%s: weight \"%s\" of %s must have the shape %s that config.json asks for, found %s; the"
                  + " files are of different models or a download is incomplete")
              .formatted(
                  network, key, weights.source(), Arrays.toString(expected), weight.describe()));
    }
    if (dataType(weight.type()) == TensorProto.DataType.UNDEFINED) {
      throw new ModelFormatException(
          "%s: weight \"%s\" of %s must be of floats, found %s; take a model of F32, F16 or BF16"
              .formatted(network, key, weights.source(), weight.describe()));
    }
    return weight;
  }

  private Weight aligned(Weight weight) {
    try {
      return weight.aligned();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private static TensorProto.DataType dataType(TensorType type) {
    return switch (type) {
      case F32 -> TensorProto.DataType.FLOAT;
      case F16 -> TensorProto.DataType.FLOAT16;
      case BF16 -> TensorProto.DataType.BFLOAT16;
      case F64 -> TensorProto.DataType.DOUBLE;
      case F8_E4M3 -> TensorProto.DataType.FLOAT8E4M3FN;
      case F8_E5M2 -> TensorProto.DataType.FLOAT8E5M2;
      default -> TensorProto.DataType.UNDEFINED;
    };
  }

  boolean hasFloat8() {
    return initializers.values().stream().anyMatch(weight -> weight.type().bits() == 8);
  }

  void requireAll() {
    if (!missing.isEmpty()) {
      throw new ModelFormatException(
          "%s: %s lacks %d weights that config.json asks for: %s; the files are of different models or a download is incomplete"
              .formatted(network, weights.source(), missing.size(), some(missing)));
    }
  }

  void requireNoOthers(Predicate<String> others) {
    Set<String> unused = new TreeSet<>(weights.keys());
    unused.removeAll(used);
    unused.removeIf(others);
    if (!unused.isEmpty()) {
      throw new ModelFormatException(
          "%s: %s has %d weights that the network of config.json does not use: %s; the files are of different models, or of a kind that is not known here"
              .formatted(network, weights.source(), unused.size(), some(unused)));
    }
  }

  private static String some(Set<String> keys) {
    List<String> first = keys.stream().limit(NAMED).toList();
    return String.join(", ", first) + (keys.size() > NAMED ? ", …" : "");
  }

  /** Gives each weight its place: a file's range, a buffer, or the model itself. */
  Placed place() {
    Map<Path, Path> files = new HashMap<>();
    initializers.values().stream()
        .map(Weight::values)
        .filter(Weight.InFile.class::isInstance)
        .map(at -> ((Weight.InFile) at).file())
        .distinct()
        .forEach(file -> files.put(file, real(file)));
    Optional<Path> folder = files.values().stream().map(Path::getParent).reduce(WeightTable::above);
    List<TensorProto> tensors = new ArrayList<>();
    Map<String, BuiltModel.Buffer> buffers = new HashMap<>();
    initializers.forEach(
        (name, weight) -> {
          TensorProto.Builder tensor =
              TensorProto.newBuilder()
                  .setName(name)
                  .setDataType(dataType(weight.type()).getNumber())
                  .addAllDims(weight.shape());
          if (weight.values() instanceof Weight.InFile at) {
            String location = folder.orElseThrow().relativize(files.get(at.file())).toString();
            external(tensor, location.replace('\\', '/'), at.offset(), at.length());
          } else {
            boolean inside = type(weight.type()) == ElementType.UNSUPPORTED;
            if (inside || weight.values().length() < SMALL) {
              tensor.setRawData(bytes(weight));
            } else {
              external(tensor, "buffer", 0, weight.values().length());
              buffers.put(name, buffer(weight));
            }
          }
          tensors.add(tensor.build());
        });
    return new Placed(tensors, folder, buffers);
  }

  private static BuiltModel.Buffer buffer(Weight weight) {
    ElementType type = type(weight.type());
    return weight.values() instanceof Weight.Changed changed
        ? new BuiltModel.Buffer(type, weight.shape(), changed.elements())
        : new BuiltModel.Buffer(type, weight.shape(), ((Weight.InMemory) weight.values()).bytes());
  }

  private ByteString bytes(Weight weight) {
    try {
      return ByteString.copyFrom(
          weight.values() instanceof Weight.InMemory given
              ? given.bytes().duplicate()
              : buffer(weight).bytes());
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private UncheckedIOException unreadable(IOException e) {
    return new UncheckedIOException(weights.source() + " cannot be read", e);
  }

  private static ElementType type(TensorType type) {
    return switch (type) {
      case F32 -> ElementType.FLOAT32;
      case F16 -> ElementType.FLOAT16;
      case BF16 -> ElementType.BFLOAT16;
      case F64 -> ElementType.FLOAT64;
      default -> ElementType.UNSUPPORTED;
    };
  }

  private static void external(
      TensorProto.Builder tensor, String location, long offset, long length) {
    tensor
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(length)));
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** The file itself, since a link out of the folder is not followed by the runtime. */
  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  /** The deepest folder that is above both or one of them. */
  private static Path above(Path a, Path b) {
    Path folder = a;
    while (!b.startsWith(folder)) {
      folder = folder.getParent();
      if (folder == null) {
        throw new ModelFormatException(
            a + " and " + b + " are on different drives; a model's weights must be on one");
      }
    }
    return folder;
  }
}
