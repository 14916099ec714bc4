package io.github.diffusion4j.onnx;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The layers of an ONNX graph that have a weight: which operators compute them, told from the names
 * that exporters give to weights ({@code conv_in.weight}) or to operators ({@code
 * /mid_block/attentions.0/proj_in/MatMul}).
 *
 * <p>In files that were written here a weight may have another shape ({@code proj_in.weight[8, 8]})
 * or be in parts, which are layers of their own then ({@code proj.weight[0/2]} is that of {@code
 * proj[0/2]}).
 *
 * @param layers by name, as in {@code mid_block.attentions.0.proj_in}
 */
record OnnxLayers(Map<String, Layer> layers) {

  private static final String FUSED = "com.microsoft.FusedMatMul";
  private static final Set<String> OPERATORS = Set.of("MatMul", "Gemm", "Conv", FUSED);
  private static final Pattern NODE = Pattern.compile("/?(.+)/(?:MatMul|Gemm|Conv)(?:_\\d+)?");
  private static final Pattern WEIGHT =
      Pattern.compile("(.+)\\.weight(?:\\[\\d+(?:, \\d+)*\\]|(\\[\\d+/\\d+\\]))?");

  /**
   * A layer.
   *
   * @param nodes the operators, more than one where a layer is used again
   * @param weight its constant
   * @param shape of the weight as the model's code has it
   * @param turned whether the constant is the transposed matrix, [in, out]
   */
  record Layer(
      List<OnnxGraph.Node> nodes, OnnxGraph.Tensor weight, LowRank.Shape shape, boolean turned) {}

  OnnxLayers {
    layers = Collections.unmodifiableMap(new TreeMap<>(layers));
  }

  static OnnxLayers of(OnnxGraph graph) {
    Map<String, OnnxGraph.Tensor> constants = new HashMap<>();
    graph.tensors().forEach(tensor -> constants.put(tensor.initializer().name(), tensor));
    Map<String, Layer> layers = new HashMap<>();
    for (OnnxGraph.Node node : graph.nodes()) {
      boolean weighted =
          OPERATORS.contains(node.operator())
              && node.inputs().size() > 1
              && (node.transposesSecond() || !node.operator().equals(FUSED));
      OnnxGraph.Tensor weight = weighted ? constants.get(node.inputs().get(1)) : null;
      if (weight != null) {
        String name = name(node, weight.initializer().name());
        LowRank.Shape shape = shape(node, weight.initializer());
        if (!name.isEmpty() && shape != null) {
          Layer known = layers.get(name);
          List<OnnxGraph.Node> nodes = new ArrayList<>(known == null ? List.of() : known.nodes);
          nodes.add(node);
          layers.put(name, new Layer(nodes, weight, shape, isTurned(node)));
        }
      }
    }
    return new OnnxLayers(layers);
  }

  /** A layer that must be there. */
  Layer require(Path file, String name) {
    Layer layer = layers.get(name);
    if (layer == null) {
      throw new ModelFormatException(
          "%s: expected a layer %s with a constant weight, found %d others; export the model without optimization and quantization"
              .formatted(file, name, layers.size()));
    }
    return layer;
  }

  private static String name(OnnxGraph.Node node, String weight) {
    Matcher named = WEIGHT.matcher(weight);
    if (named.matches()) {
      return named.group(1) + (named.group(2) == null ? "" : named.group(2));
    }
    Matcher matcher = NODE.matcher(node.name());
    return matcher.matches() ? matcher.group(1).replace('/', '.') : "";
  }

  private static boolean isTurned(OnnxGraph.Node node) {
    return node.operator().equals("MatMul")
        || node.operator().equals("Gemm") && !node.transposesSecond();
  }

  /** The weight's shape; null where it is none of a layer. */
  private static LowRank.Shape shape(OnnxGraph.Node node, OnnxFile.Initializer weight) {
    List<Long> shape = weight.shape();
    boolean convolution = node.operator().equals("Conv");
    if (shape.size() != (convolution ? 4 : 2)
        || shape.contains(0L)
        || weight.elements() > Integer.MAX_VALUE
        || !weight.type().element().floating()) {
      return null;
    }
    int first = shape.get(0).intValue();
    int second = shape.get(1).intValue();
    if (convolution) {
      return new LowRank.Shape(first, second, shape.get(2).intValue(), shape.get(3).intValue());
    }
    return isTurned(node)
        ? LowRank.Shape.matrix(second, first)
        : LowRank.Shape.matrix(first, second);
  }
}
