package io.github.diffusion4j.onnx;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.TensorShapeProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;

/**
 * The operators and inputs of {@link GraphEdit.LowRankInputs} for one layer.
 *
 * @param name the layer's
 * @param layer the layer
 */
record LowRankNodes(String name, OnnxLayers.Layer layer) {

  /** The layer's operator with another result, and the sum of this and the change. */
  List<NodeProto> replacing(NodeProto node) {
    String result = node.getOutput(0);
    String own = result + ".lora.own";
    String low = result + ".lora.low";
    String high = result + ".lora.high";
    boolean convolves = node.getOpType().equals("Conv");
    NodeProto.Builder down = NodeProto.newBuilder().setOpType(convolves ? "Conv" : "MatMul");
    if (convolves) {
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.getName().equals("group") && attribute.getI() != 1) {
          throw new ModelFormatException(
              "layer %s is a convolution of %d groups, which a LoRA cannot change"
                  .formatted(name, attribute.getI()));
        }
        down.addAttribute(attribute);
      }
    }
    List<NodeProto> nodes = new ArrayList<>();
    nodes.add(node.toBuilder().setOutput(0, own).build());
    String downInput = GraphEdit.LowRankInputs.down(name);
    String upInput = GraphEdit.LowRankInputs.up(name);
    if (!convolves) { // the runtime makes one operator of a product with a transposed matrix
      downInput = transposed(downInput, low, nodes);
      upInput = transposed(upInput, high, nodes);
    }
    nodes.add(
        down.setName(low).addInput(node.getInput(0)).addInput(downInput).addOutput(low).build());
    nodes.add(node(convolves ? "Conv" : "MatMul", high, low, upInput));
    nodes.add(node("Add", result, own, high));
    return nodes;
  }

  private static String transposed(String input, String stem, List<NodeProto> nodes) {
    String turned = stem + ".turned";
    nodes.add(node("Transpose", turned, input));
    return turned;
  }

  private static NodeProto node(String operator, String result, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(operator)
        .setName(result + ".lora." + operator)
        .addAllInput(List.of(inputs))
        .addOutput(result)
        .build();
  }

  /** The two inputs. */
  List<ValueInfoProto> inputs() {
    LowRank.Shape shape = layer.shape();
    String rank = GraphEdit.LowRankInputs.down(name) + ".rank";
    String down = GraphEdit.LowRankInputs.down(name);
    String up = GraphEdit.LowRankInputs.up(name);
    boolean convolves = layer.weight().initializer().shape().size() == 4;
    return convolves
        ? List.of(
            input(down, rank, shape.in(), shape.height(), shape.width()),
            input(up, shape.out(), rank, 1, 1))
        : List.of(input(down, rank, shape.in()), input(up, shape.out(), rank));
  }

  private ValueInfoProto input(String input, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      if (dimension instanceof Integer size) {
        shape.addDimBuilder().setDimValue(size);
      } else {
        shape.addDimBuilder().setDimParam((String) dimension);
      }
    }
    int type = layer.weight().initializer().type().code();
    return ValueInfoProto.newBuilder()
        .setName(input)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }
}
