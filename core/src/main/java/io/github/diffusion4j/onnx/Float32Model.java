package io.github.diffusion4j.onnx;

import ai.onnxruntime.platform.Fp16Conversions;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.schema.AttributeProto;
import io.github.diffusion4j.onnx.schema.FunctionProto;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.StringStringEntryProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import io.github.diffusion4j.tensor.TensorInfo;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes a model of binary16 floats compute in 32-bit ones: constants, casts, inputs and outputs
 * change their type, the operators stay. What overflows at 65504 no longer does. Wide weights lie
 * outside the Java heap; all others stay where they are.
 */
final class Float32Model {

  private static final int FLOAT16 = TensorProto.DataType.FLOAT16_VALUE;
  private static final int FLOAT32 = TensorProto.DataType.FLOAT_VALUE;

  /** Smaller constants stay in the graph. */
  private static final int SMALL = 4096;

  /** Attributes that name an element type. */
  private static final Set<String> TYPES = Set.of("to", "dtype", "output_dtype");

  private final Path file;
  private final OnnxFile description;
  private final Map<String, BuiltModel.Buffer> buffers = new HashMap<>();

  private Float32Model(Path file, OnnxFile description) {
    this.file = file;
    this.description = description;
  }

  /**
   * Widens a model.
   *
   * @param file where it came from; its external data are beside it
   * @param model what it was edited to
   * @return the model, to be opened as a built one
   */
  static BuiltModel of(Path file, BuiltModel model) throws IOException {
    Float32Model wide = new Float32Model(file, OnnxFile.read(file));
    wide.buffers.putAll(model.buffers());
    return new BuiltModel(wide.model(model.bytes()), model.folder(), wide.buffers);
  }

  private byte[] model(byte[] bytes) throws IOException {
    try {
      ModelProto.Builder model = ModelProto.parseFrom(bytes).toBuilder();
      graph(model.getGraphBuilder(), true);
      for (FunctionProto.Builder function : model.getFunctionsBuilderList()) {
        nodes(function.getNodeBuilderList());
        function.getValueInfoBuilderList().forEach(Float32Model::value);
      }
      return model.build().toByteArray();
    } catch (InvalidProtocolBufferException e) {
      throw new ModelFormatException(file + ": not an ONNX model: " + e.getMessage(), e);
    }
  }

  private void graph(GraphProto.Builder graph, boolean main) throws IOException {
    for (TensorProto.Builder tensor : graph.getInitializerBuilderList()) {
      constant(tensor, main);
    }
    if (graph.getSparseInitializerList().stream()
        .anyMatch(sparse -> sparse.getValues().getDataType() == FLOAT16)) {
      throw new ModelFormatException(file + ": sparse 16-bit weights cannot be widened");
    }
    graph.getInputBuilderList().forEach(Float32Model::value);
    graph.getOutputBuilderList().forEach(Float32Model::value);
    graph.getValueInfoBuilderList().forEach(Float32Model::value);
    nodes(graph.getNodeBuilderList());
  }

  private void nodes(List<NodeProto.Builder> nodes) throws IOException {
    for (NodeProto.Builder node : nodes) {
      for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
        if (TYPES.contains(attribute.getName()) && attribute.getI() == FLOAT16) {
          attribute.setI(FLOAT32);
        }
        if (attribute.hasT()) {
          constant(attribute.getTBuilder(), false);
        }
        for (TensorProto.Builder tensor : attribute.getTensorsBuilderList()) {
          constant(tensor, false);
        }
        if (attribute.hasG()) {
          graph(attribute.getGBuilder(), false);
        }
        for (GraphProto.Builder inner : attribute.getGraphsBuilderList()) {
          graph(inner, false);
        }
      }
    }
  }

  private static void value(ValueInfoProto.Builder value) {
    if (value.hasType()) {
      type(value.getTypeBuilder());
    }
  }

  private static void type(TypeProto.Builder type) {
    if (type.hasTensorType() && type.getTensorType().getElemType() == FLOAT16) {
      type.getTensorTypeBuilder().setElemType(FLOAT32);
    } else if (type.hasSequenceType()) {
      type(type.getSequenceTypeBuilder().getElemTypeBuilder());
    } else if (type.hasOptionalType()) {
      type(type.getOptionalTypeBuilder().getElemTypeBuilder());
    }
  }

  /** Large constants of the main graph go into buffers, the others stay in their place. */
  private void constant(TensorProto.Builder tensor, boolean buffered) throws IOException {
    if (tensor.getDataType() != FLOAT16) {
      return;
    }
    ByteBuffer values = wide(tensor, buffered);
    tensor.setDataType(FLOAT32).clearInt32Data().clearRawData().clearExternalData();
    if (buffered && values.remaining() >= SMALL) {
      buffers.put(
          tensor.getName(),
          new BuiltModel.Buffer(ElementType.FLOAT32, tensor.getDimsList(), values));
      tensor
          .setDataLocation(TensorProto.DataLocation.EXTERNAL)
          .addExternalData(entry("location", "buffer"))
          .addExternalData(entry("offset", "0"))
          .addExternalData(entry("length", Integer.toString(values.remaining())));
    } else {
      tensor
          .setDataLocation(TensorProto.DataLocation.DEFAULT)
          .setRawData(ByteString.copyFrom(values));
    }
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private ByteBuffer wide(TensorProto.Builder tensor, boolean direct) throws IOException {
    int count = elements(tensor);
    ByteBuffer bytes =
        direct ? ByteBuffer.allocateDirect(4 * count) : ByteBuffer.allocate(4 * count);
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    if (buffers.containsKey(tensor.getName())) {
      ByteBuffer halves = buffers.get(tensor.getName()).bytes();
      for (int i = 0; i < count; i++) {
        short half = halves.order(ByteOrder.LITTLE_ENDIAN).getShort(halves.position() + 2 * i);
        bytes.putFloat(4 * i, Fp16Conversions.fp16ToFloat(half));
      }
    } else if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      bytes.asFloatBuffer().put(external(tensor, count));
    } else if (tensor.getRawData().size() == 2 * count) {
      ShortBuffer halves =
          tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
      for (int i = 0; i < count; i++) {
        bytes.putFloat(4 * i, Fp16Conversions.fp16ToFloat(halves.get(i)));
      }
    } else if (tensor.getInt32DataCount() == count) {
      for (int i = 0; i < count; i++) {
        bytes.putFloat(4 * i, Fp16Conversions.fp16ToFloat((short) tensor.getInt32Data(i)));
      }
    } else {
      throw wrong(tensor, "does not have the values of its shape " + tensor.getDimsList());
    }
    return bytes;
  }

  private int elements(TensorProto.Builder tensor) {
    long count = 1;
    for (long dimension : tensor.getDimsList()) {
      if (dimension < 0 || dimension > 0 && count > Integer.MAX_VALUE / 4 / dimension) {
        throw wrong(tensor, "has the shape " + tensor.getDimsList() + ", too large to widen");
      }
      count *= dimension;
    }
    return (int) count;
  }

  private float[] external(TensorProto.Builder tensor, int count) throws IOException {
    Map<String, String> entries = new HashMap<>();
    tensor.getExternalDataList().forEach(entry -> entries.put(entry.getKey(), entry.getValue()));
    try {
      return new TensorInfo(
              tensor.getName(),
              description.beside(entries.getOrDefault("location", "")),
              TensorType.F16,
              tensor.getDimsList(),
              Long.parseLong(entries.getOrDefault("offset", "0")),
              Long.parseLong(entries.getOrDefault("length", Long.toString(2L * count))))
          .readFloats();
    } catch (IllegalArgumentException e) {
      throw wrong(tensor, "has external data that cannot be: " + e.getMessage());
    }
  }

  private ModelFormatException wrong(TensorProto.Builder tensor, String what) {
    return new ModelFormatException("%s: weight \"%s\" %s".formatted(file, tensor.getName(), what));
  }
}
