package io.github.diffusion4j.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes a scalar timestep one for each row. Exports begin by making a vector of the scalar, which
 * they then expand to the number of rows: that vector becomes the input itself.
 */
final class RowTimesteps {

  private static final String TIMESTEP = "timestep";

  private RowTimesteps() {}

  /**
   * Changes a model.
   *
   * @param file where it came from, for messages
   * @param bytes the model
   * @return the changed model; the same bytes if it has no scalar that is made a vector
   */
  static byte[] in(Path file, byte[] bytes) {
    try {
      ModelProto.Builder model = ModelProto.parseFrom(bytes).toBuilder();
      return change(model.getGraphBuilder()) ? model.build().toByteArray() : bytes;
    } catch (InvalidProtocolBufferException e) {
      throw new ModelFormatException(file + " is not an ONNX model: " + e.getMessage(), e);
    }
  }

  private static boolean change(GraphProto.Builder graph) {
    List<NodeProto.Builder> readers =
        graph.getNodeBuilderList().stream()
            .filter(node -> node.getInputList().contains(TIMESTEP))
            .toList();
    boolean usual =
        !readers.isEmpty()
            && readers.stream().allMatch(node -> node.getOpType().equals("Unsqueeze"));
    for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
      TypeProto.Tensor.Builder type = input.getTypeBuilder().getTensorTypeBuilder();
      if (usual && input.getName().equals(TIMESTEP) && type.getShape().getDimCount() == 0) {
        type.getShapeBuilder().addDimBuilder().setDimParam(TIMESTEP + "_rows");
        readers.forEach(RowTimesteps::passOn);
        graph.clearValueInfo(); // sizes that were true of the scalar
        return true;
      }
    }
    return false;
  }

  private static void passOn(NodeProto.Builder node) {
    node.setOpType("Identity").clearInput().addInput(TIMESTEP).clearAttribute();
  }
}
