package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.ModelFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What an ONNX file says of itself, read without ONNX Runtime and without its weights: a file of
 * any size takes little time and memory. Immutable.
 *
 * @param file where it is
 * @param bytes its size, without external data
 * @param producer what wrote it, with version; may be ""
 * @param opset version of the standard operators; 0 if the file names none
 * @param nodes operators in the main graph
 * @param operators their kinds; one of another domain than ONNX's own has that before its name
 * @param inputs of the network, without the weights that old files list among them
 * @param outputs of the network
 * @param initializers constant tensors of the main graph, weights among them
 */
public record OnnxFile(
    Path file,
    long bytes,
    String producer,
    long opset,
    int nodes,
    Set<String> operators,
    List<TensorSpec> inputs,
    List<TensorSpec> outputs,
    List<Initializer> initializers) {

  /** Checks and copies the lists. */
  public OnnxFile {
    requireNonNull(file, "file");
    requireNonNull(producer, "producer");
    operators = Set.copyOf(operators);
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    initializers = List.copyOf(initializers);
  }

  /**
   * A constant tensor.
   *
   * @param name its name
   * @param type element type
   * @param shape dimensions
   * @param externalData file beside the ONNX file that holds its values; empty if they are inside
   */
  public record Initializer(
      String name, OnnxType type, List<Long> shape, Optional<String> externalData) {

    /** Copies the list. */
    public Initializer {
      requireNonNull(name, "name");
      requireNonNull(type, "type");
      shape = List.copyOf(shape);
      requireNonNull(externalData, "externalData");
    }

    /**
     * Number of elements.
     *
     * @return product of the dimensions, 1 for a scalar
     */
    public long elements() {
      return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }
  }

  /**
   * Reads a file.
   *
   * @param file an ONNX model, of any file system
   * @return what it says
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it is not a whole ONNX file
   */
  public static OnnxFile read(Path file) throws IOException {
    return OnnxGraph.read(file).file();
  }

  /**
   * Reads a model that was built.
   *
   * @param model the model
   * @param name what the file would be called
   * @return what it says
   * @throws IOException never for a whole model
   */
  public static OnnxFile of(BuiltModel model, String name) throws IOException {
    Path file = model.folder().map(folder -> folder.resolve(name)).orElse(Path.of(name));
    return OnnxGraph.read(file, model.bytes()).file();
  }

  /**
   * Number of elements of all constants.
   *
   * @return elements by type, only types that occur
   */
  public Map<OnnxType, Long> elements() {
    Map<OnnxType, Long> counts = new EnumMap<>(OnnxType.class);
    initializers.forEach(
        constant -> counts.merge(constant.type(), constant.elements(), Math::addExact));
    return Collections.unmodifiableMap(counts);
  }

  /**
   * Number of parameters: elements of the types that weights have.
   *
   * @return at least 0
   */
  public long parameters() {
    return elements().entrySet().stream()
        .filter(entry -> entry.getKey().isParameter())
        .mapToLong(Map.Entry::getValue)
        .reduce(0, Math::addExact);
  }

  /**
   * The type of most parameters.
   *
   * @return empty if there are none
   */
  public Optional<OnnxType> weightType() {
    return elements().entrySet().stream()
        .filter(entry -> entry.getKey().isParameter())
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey);
  }

  /**
   * The files beside this one that hold values.
   *
   * @return paths in the ONNX file's folder, there or not
   * @throws ModelFormatException if one would be outside that folder
   */
  public List<Path> externalFiles() {
    TreeSet<String> names = new TreeSet<>();
    initializers.forEach(constant -> constant.externalData().ifPresent(names::add));
    return names.stream().map(this::beside).toList();
  }

  /** The path of a file of external data. */
  Path beside(String name) {
    Path folder = file.toAbsolutePath().normalize().getParent();
    Path path = folder.resolve(name).normalize();
    if (!path.startsWith(folder) || path.equals(folder)) {
      throw new ModelFormatException(
          file + ": external data \"" + name + "\" is not in the folder of the ONNX file");
    }
    return path;
  }
}
