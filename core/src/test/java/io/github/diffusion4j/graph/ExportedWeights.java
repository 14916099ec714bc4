package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The weights inside an exported ONNX file, under the keys of the model they were exported from.
 * Exporters keep most names. Matrices of layers without a name are numbered and transposed, scale
 * and shift of group normalizations are numbered: a matrix is that of the layer whose bias is added
 * to its product, others are given out in the order of their numbers, which is the order in which
 * the network computes.
 */
final class ExportedWeights implements Weights {

  private final Path file;
  private final Map<String, TensorProto> named = new HashMap<>();
  private final Map<String, TensorProto> transposed = new HashMap<>();
  private final Map<String, Deque<TensorProto>> numbered = new HashMap<>();
  private final Map<String, Weight> given = new HashMap<>();

  ExportedWeights(Path file) throws IOException {
    this.file = file;
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(file));
    List<TensorProto> tensors = new ArrayList<>(model.getGraph().getInitializerList());
    tensors.addAll(copies(model));
    Map<String, String> layers = layersByMatrix(model.getGraph());
    tensors.stream()
        .filter(tensor -> layers.containsKey(tensor.getName()))
        .forEach(tensor -> transposed.put(layers.get(tensor.getName()) + ".weight", tensor));
    tensors.stream()
        .filter(tensor -> tensor.getName().startsWith("onnx::"))
        .filter(tensor -> !layers.containsKey(tensor.getName()))
        .sorted(Comparator.comparingInt(tensor -> number(tensor.getName())))
        .forEach(
            tensor -> {
              String kind = tensor.getName().replaceAll("_\\d+$", "");
              numbered.computeIfAbsent(kind, absent -> new ArrayDeque<>()).add(tensor);
            });
    tensors.stream()
        .filter(tensor -> !tensor.getName().startsWith("onnx::"))
        .forEach(tensor -> named.put(plain(tensor.getName()), tensor));
  }

  /** Names of layers whose bias is added to the product with a matrix without a name. */
  private static Map<String, String> layersByMatrix(GraphProto graph) {
    Map<String, String> products = new HashMap<>();
    Map<String, String> layers = new HashMap<>();
    for (NodeProto node : graph.getNodeList()) {
      for (String input : node.getInputList()) {
        if (node.getOpType().equals("MatMul") && input.startsWith("onnx::")) {
          products.put(node.getOutput(0), input);
        }
      }
      if (node.getOpType().equals("Add") && node.getInputCount() == 2) {
        for (int i = 0; i < 2; i++) {
          String matrix = products.get(node.getInput(i));
          String other = node.getInput(1 - i);
          if (matrix != null && other.endsWith(".bias")) {
            layers.put(matrix, plain(other.substring(0, other.length() - ".bias".length())));
          }
        }
      }
    }
    return layers;
  }

  /** A name without the exporting module's. */
  private static String plain(String name) {
    return name.replaceFirst("^(m\\.0|[mcu])\\.", "");
  }

  /** Equal tensors are stored once; the others are copies of it under their own names. */
  private static List<TensorProto> copies(ModelProto model) {
    Map<String, TensorProto> stored = new HashMap<>();
    model.getGraph().getInitializerList().forEach(tensor -> stored.put(tensor.getName(), tensor));
    List<TensorProto> copies = new ArrayList<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (node.getOpType().equals("Identity") && stored.containsKey(node.getInput(0))) {
        TensorProto original = stored.get(node.getInput(0));
        copies.add(original.toBuilder().setName(node.getOutput(0)).build());
      }
    }
    return copies;
  }

  private static int number(String name) {
    return Integer.parseInt(name.substring(name.lastIndexOf('_') + 1));
  }

  @Override
  public Optional<Weight> find(String key) {
    if (given.containsKey(key)) {
      return Optional.of(given.get(key));
    }
    if (named.containsKey(key)) {
      given.put(key, weight(named.get(key)));
    } else if (transposed.containsKey(key)) {
      given.put(key, weight(transposed.get(key)).transpose());
    } else if (key.matches(".*(norm\\d?|norm_out|norm)\\.weight")) {
      given.put(key, next("onnx::Mul"));
    } else if (key.matches(".*(norm\\d?|norm_out|norm)\\.bias")) {
      given.put(key, next("onnx::Add"));
    } else if (key.endsWith(".weight") && !key.contains("query") && !key.contains("conv")) {
      Weight matrix = next("onnx::MatMul");
      given.put(key, matrix.transpose());
    }
    return Optional.ofNullable(given.get(key));
  }

  private Weight next(String kind) {
    Weight weight = weight(numbered.get(kind).removeFirst());
    return kind.equals("onnx::MatMul") ? weight : weight.reshaped(weight.shape().get(0));
  }

  private Weight weight(TensorProto tensor) {
    long[] shape = tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
    ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          tensor.getDataType() == TensorProto.DataType.FLOAT16_VALUE
              ? ai.onnxruntime.platform.Fp16Conversions.fp16ToFloat(bytes.getShort())
              : bytes.hasRemaining() ? bytes.getFloat() : tensor.getFloatData(i);
    }
    return Weight.of(values, shape);
  }

  /** Whether all were given out. */
  boolean exhausted() {
    return numbered.values().stream().allMatch(Deque::isEmpty);
  }

  @Override
  public Set<String> keys() {
    return new TreeSet<>(given.keySet());
  }

  @Override
  public String source() {
    return file.toString();
  }
}
