package io.github.diffusion4j.onnx;

import io.github.diffusion4j.ModelFormatException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The main graph of an ONNX file and where its parts are, so that they can be read or replaced
 * without the rest. Immutable.
 *
 * @param file what the file says of itself
 * @param whole the graph's field
 * @param content the graph's own fields
 * @param nodes operators in the file's order
 * @param tensors constants in the file's order
 */
record OnnxGraph(
    OnnxFile file, Range whole, Range content, List<Node> nodes, List<Tensor> tensors) {

  /** Bytes of a file, the end exclusive. */
  record Range(long from, long to) {
    long length() {
      return to - from;
    }
  }

  /** How a constant's values are written. */
  enum Form {
    /** As they lie in memory, little endian. */
    RAW,
    /** 32-bit floats, little endian. */
    FLOATS,
    /** Variable length numbers: the bits of 16-bit floats, or integers. */
    INTEGERS,
    /** As they lie in memory, in another file. */
    EXTERNAL,
    /** Not at all, or in a form that is not read here. */
    OTHER
  }

  /** Where a constant's values are. */
  record Values(Form form, Range range) {
    static final Values NONE = new Values(Form.OTHER, new Range(0, 0));
    static final Values EXTERNAL = new Values(Form.EXTERNAL, new Range(0, 0));
  }

  /**
   * An operator.
   *
   * @param name of this node, may be ""
   * @param operator what it computes; one of another domain than ONNX's own has that before
   * @param inputs names of values
   * @param outputs names of values
   * @param transposesSecond whether it has its attribute transB set; of another domain than ONNX's
   *     own only if this is all that it has set
   * @param range its field
   */
  record Node(
      String name,
      String operator,
      List<String> inputs,
      List<String> outputs,
      boolean transposesSecond,
      Range range) {
    Node {
      inputs = List.copyOf(inputs);
      outputs = List.copyOf(outputs);
    }
  }

  /** A constant. */
  record Tensor(OnnxFile.Initializer initializer, Range range, Values values) {}

  OnnxGraph {
    nodes = List.copyOf(nodes);
    tensors = List.copyOf(tensors);
  }

  /**
   * Reads a file, skipping the weights.
   *
   * @throws IOException if it cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if it is not a whole ONNX file
   */
  static OnnxGraph read(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 14)) {
      return read(file, in, Files.size(file));
    }
  }

  /** Reads a model in memory that stands for a file. */
  static OnnxGraph read(Path file, byte[] model) throws IOException {
    return read(file, new ByteArrayInputStream(model), model.length);
  }

  private static OnnxGraph read(Path file, InputStream in, long size) throws IOException {
    return new OnnxParser(new WireReader(in, size, file.toString())).parse(file, size);
  }

  /**
   * Checks that the values that lie in other files are there.
   *
   * @throws io.github.diffusion4j.ModelFormatException if a file is missing or too short
   */
  void requireExternalData() throws IOException {
    Map<String, Long> ends = new TreeMap<>();
    for (Tensor tensor : tensors) {
      tensor
          .initializer()
          .externalData()
          .ifPresent(name -> ends.merge(name, tensor.values().range().to(), Math::max));
    }
    for (Map.Entry<String, Long> end : ends.entrySet()) {
      Path beside = file.beside(end.getKey());
      long size = Files.isRegularFile(beside) ? Files.size(beside) : -1;
      if (size < end.getValue()) {
        throw new ModelFormatException(
            "%s: weights are in %s up to byte %d, which %s; download the model again"
                .formatted(
                    file.file(),
                    beside,
                    end.getValue(),
                    size < 0 ? "is missing" : "has only " + size));
      }
    }
  }
}
