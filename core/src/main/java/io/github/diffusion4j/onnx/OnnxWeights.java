package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import ai.onnxruntime.platform.Fp16Conversions;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorType;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Reads single weights of an ONNX file, inside it or in a file of external data. Immutable. */
public final class OnnxWeights {

  private final OnnxGraph graph;

  private OnnxWeights(OnnxGraph graph) {
    this.graph = graph;
  }

  /**
   * Looks through a file.
   *
   * @param file an ONNX model, of any file system
   * @return its weights; none is read yet
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it is not a whole ONNX file
   */
  public static OnnxWeights of(Path file) throws IOException {
    return new OnnxWeights(OnnxGraph.read(requireNonNull(file, "file")));
  }

  /**
   * Reads the weight whose name ends so.
   *
   * @param suffix such as {@code final_layer_norm.weight}
   * @return its values, row-major; empty if there is no such weight
   * @throws IOException if its file cannot be read
   * @throws ModelFormatException if several end so, or its values are not floats or not there
   */
  public Optional<Floats> ending(String suffix) throws IOException {
    List<OnnxGraph.Tensor> found =
        graph.tensors().stream()
            .filter(tensor -> tensor.initializer().name().endsWith(suffix))
            .toList();
    if (found.size() > 1) {
      throw new ModelFormatException(
          "%s: expected one weight ending in %s, found %s"
              .formatted(
                  graph.file().file(),
                  suffix,
                  found.stream().map(tensor -> tensor.initializer().name()).toList()));
    }
    return found.isEmpty() ? Optional.empty() : Optional.of(values(found.get(0)));
  }

  /** A constant's values. */
  static Floats values(OnnxGraph graph, OnnxGraph.Tensor tensor) throws IOException {
    return new OnnxWeights(graph).values(tensor);
  }

  /** A constant's values, some entries of its first dimension at a time. */
  static ChangedElements.Rows rows(OnnxGraph graph, OnnxGraph.Tensor tensor) throws IOException {
    OnnxWeights weights = new OnnxWeights(graph);
    if (tensor.values().form() == OnnxGraph.Form.INTEGERS) { // has no places for rows
      float[] values = weights.values(tensor).toArray();
      int columns = values.length / Math.toIntExact(tensor.initializer().shape().get(0));
      return (from, to) -> Arrays.copyOfRange(values, from * columns, to * columns);
    }
    TensorInfo info = weights.info(tensor);
    return (from, to) -> info.rows(from, to).readFloats();
  }

  private Floats values(OnnxGraph.Tensor tensor) throws IOException {
    return tensor.values().form() == OnnxGraph.Form.INTEGERS
        ? halves(tensor.initializer(), type(tensor.initializer()), tensor.values().range())
        : Floats.of(info(tensor).readFloats());
  }

  /** Where a constant's values lie one after the other. */
  private TensorInfo info(OnnxGraph.Tensor tensor) {
    OnnxFile.Initializer constant = tensor.initializer();
    Path file =
        constant.externalData().map(graph.file()::beside).orElseGet(() -> graph.file().file());
    TensorType type = type(constant);
    return switch (tensor.values().form()) {
      case RAW, EXTERNAL -> info(constant, file, type, tensor.values().range());
      case FLOATS -> info(constant, file, TensorType.F32, tensor.values().range());
      default -> throw error(constant, "has no values in a form that is read here");
    };
  }

  private TensorType type(OnnxFile.Initializer constant) {
    return switch (constant.type()) {
      case FLOAT32 -> TensorType.F32;
      case FLOAT64 -> TensorType.F64;
      case FLOAT16 -> TensorType.F16;
      case BFLOAT16 -> TensorType.BF16;
      default -> throw error(constant, "is of type " + constant.type() + ", expected floats");
    };
  }

  private TensorInfo info(
      OnnxFile.Initializer constant, Path file, TensorType type, OnnxGraph.Range range) {
    if (range.length() * 8 != constant.elements() * type.bits()) {
      throw error(constant, "holds " + range.length() + " bytes of values");
    }
    return new TensorInfo(
        constant.name(), file, type, constant.shape(), range.from(), range.length());
  }

  /** 16-bit floats whose bits are written as variable length integers. */
  private Floats halves(OnnxFile.Initializer constant, TensorType type, OnnxGraph.Range range)
      throws IOException {
    if (type.bits() != 16) {
      throw error(constant, "has its values in the field of another type");
    }
    Path file = graph.file().file();
    try (InputStream stream = new BufferedInputStream(Files.newInputStream(file))) {
      stream.skipNBytes(range.from());
      WireReader in = new WireReader(stream, range.length(), file.toString());
      float[] values = new float[Math.toIntExact(constant.elements())];
      for (int i = 0; i < values.length; i++) {
        short bits = (short) in.varint();
        values[i] =
            type == TensorType.F16
                ? Fp16Conversions.fp16ToFloat(bits)
                : Fp16Conversions.bf16ToFloat(bits);
      }
      return Floats.of(values);
    }
  }

  private ModelFormatException error(OnnxFile.Initializer constant, String what) {
    return new ModelFormatException(
        "%s: weight \"%s\" %s%s %s"
            .formatted(
                graph.file().file(), constant.name(), constant.type(), constant.shape(), what));
  }
}
