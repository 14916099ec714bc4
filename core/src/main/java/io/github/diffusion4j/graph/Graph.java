package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.OnnxType;
import io.github.diffusion4j.onnx.schema.GraphProto;
import io.github.diffusion4j.onnx.schema.ModelProto;
import io.github.diffusion4j.onnx.schema.NodeProto;
import io.github.diffusion4j.onnx.schema.OperatorSetIdProto;
import io.github.diffusion4j.onnx.schema.TensorProto;
import io.github.diffusion4j.onnx.schema.TensorShapeProto;
import io.github.diffusion4j.onnx.schema.TypeProto;
import io.github.diffusion4j.onnx.schema.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * An ONNX graph in the making: nodes in the order of their computation, inputs, outputs, constants
 * and weights. Built once, by one thread.
 *
 * <p>Operator set 17: the newest whose Resize ONNX Runtime's blocked convolution layout knows.
 */
public final class Graph {

  static final String MICROSOFT = "com.microsoft";

  private static final int OPERATORS = 17;
  private static final int OPERATORS_WITH_FLOAT8 = 19;
  private static final int IR_VERSION = 8;
  private static final int IR_VERSION_WITH_FLOAT8 = 9;

  private final GraphProto.Builder proto = GraphProto.newBuilder();
  private final WeightTable weights;
  private final GraphOptions options;
  private final Map<Constant, Value> constants = new HashMap<>();
  private final Map<String, Integer> numbers = new HashMap<>();
  private final Set<String> unchanged = new TreeSet<>();
  private Value changedRows; // null until a layer is to get such inputs
  private boolean usesMicrosoft;
  private boolean partial;
  private long computed;

  private record Constant(ElementType type, List<Long> shape, ByteString bytes) {}

  /**
   * A graph without nodes.
   *
   * @param name what the network is, such as {@code unet}
   * @param weights where layers find theirs
   * @param options precision and operators
   */
  public Graph(String name, Weights weights, GraphOptions options) {
    proto.setName(requireNonNull(name, "name"));
    this.options = requireNonNull(options, "options");
    this.weights = new WeightTable(this, name, weights);
  }

  /**
   * Precision and operators.
   *
   * @return as given
   */
  public GraphOptions options() {
    return options;
  }

  /**
   * The module that holds all others.
   *
   * @return the scope with the empty name
   */
  public Scope root() {
    return new Scope(this, "", options.type());
  }

  /** Has layers get inputs for changes of low rank. */
  void changeable(Set<String> layers) {
    unchanged.addAll(layers);
  }

  /** Whether a layer is to get inputs for a change; it has been told so then. */
  boolean change(String layer) {
    return unchanged.remove(layer);
  }

  /** The input that says how many rows of layers' results are changed. */
  Value changedRows() {
    if (changedRows == null) {
      changedRows = input(GraphEdit.LowRankInputs.ROWS, ElementType.INT64, 1);
    }
    return changedRows;
  }

  /** Only a part of the network is in this graph, so that layers may be left over. */
  void leaveOut() {
    partial = true;
  }

  WeightTable weights() {
    return weights;
  }

  /**
   * Adds an input.
   *
   * @param name its name
   * @param type element type
   * @param dimensions numbers, and names of free dimensions
   * @return its value
   */
  public Value input(String name, ElementType type, Object... dimensions) {
    proto.addInput(info(name, type, dimensions));
    long[] shape =
        Arrays.stream(dimensions)
            .mapToLong(dimension -> dimension instanceof Number n ? n.longValue() : Value.FREE)
            .toArray();
    return new Value(this, name, type, shape);
  }

  /**
   * Makes a value an output.
   *
   * @param name the output's name
   * @param value what it gives
   * @param dimensions numbers, and names of free dimensions
   */
  public void output(String name, Value value, Object... dimensions) {
    NodeProto.Builder node = NodeProto.newBuilder().setOpType("Identity").setName(name);
    proto.addNode(node.addInput(value.name()).addOutput(name));
    proto.addOutput(info(name, value.type(), dimensions));
  }

  /**
   * Makes a result an output as it is, not a copy of it: the result itself gets the output's name.
   *
   * @param name the output's name
   * @param value what no node reads yet, of a node with one result
   * @param dimensions numbers, and names of free dimensions
   * @return the value under its new name, for the nodes to come
   */
  Value outputItself(String name, Value value, Object... dimensions) {
    int at = proto.getNodeCount() - 1;
    while (!proto.getNode(at).getOutputList().equals(List.of(value.name()))) {
      at--;
    }
    proto.getNodeBuilder(at).setOutput(0, name);
    proto.addOutput(info(name, value.type(), dimensions));
    return new Value(this, name, value.type(), value.shape());
  }

  private static ValueInfoProto info(String name, ElementType type, Object... dimensions) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (Object dimension : dimensions) {
      if (dimension instanceof Number size) {
        shape.addDimBuilder().setDimValue(size.longValue());
      } else {
        shape.addDimBuilder().setDimParam((String) dimension);
      }
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(OnnxType.code(type)).setShape(shape)))
        .build();
  }

  /**
   * A vector of integers.
   *
   * @param values its elements
   * @return int64, the same value for equal elements
   */
  public Value constant(long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return constant(bytes, ElementType.INT64, values.length);
  }

  /**
   * A number.
   *
   * @param value the number; beyond the type's range it becomes the largest or smallest finite one
   * @param type element type
   * @return a scalar, the same value for equal numbers
   */
  public Value scalar(double value, ElementType type) {
    return constant(ConstantBytes.of(type, value), type);
  }

  /**
   * Numbers in the precision of the computation.
   *
   * @param values row-major
   * @param shape dimensions
   * @return the same value for equal elements and shape
   */
  public Value constant(float[] values, long... shape) {
    return constant(ConstantBytes.of(options.type(), values), options.type(), shape);
  }

  /**
   * A vector of 32-bit floats, whatever the precision of the computation.
   *
   * @param values its elements
   * @return float32, the same value for equal elements
   */
  public Value floats(float... values) {
    return constant(
        ConstantBytes.of(ElementType.FLOAT32, values), ElementType.FLOAT32, values.length);
  }

  /**
   * A vector of 64-bit floats, whatever the precision of the computation.
   *
   * @param values its elements
   * @return float64, the same value for equal elements
   */
  public Value doubles(double... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return constant(bytes, ElementType.FLOAT64, values.length);
  }

  private Value constant(ByteBuffer bytes, ElementType type, long... shape) {
    Constant constant = new Constant(type, list(shape), ByteString.copyFrom(bytes));
    return constants.computeIfAbsent(constant, this::add);
  }

  private Value add(Constant constant) {
    long[] shape = constant.shape().stream().mapToLong(Long::longValue).toArray();
    Value value = new Value(this, unique("constant"), constant.type(), shape);
    proto.addInitializer(
        TensorProto.newBuilder()
            .setName(value.name())
            .setDataType(OnnxType.code(value.type()))
            .addAllDims(constant.shape())
            .setRawData(constant.bytes()));
    return value;
  }

  /**
   * A new node.
   *
   * @param operator its type in the standard operator set
   * @return to be completed
   */
  public Node node(String operator) {
    return new Node(this, operator);
  }

  /**
   * Notes that ONNX Runtime computes constants from weights when it opens the graph.
   *
   * @param elements how many more than the weights have
   */
  void computes(long elements) {
    computed += elements;
  }

  /** Elements of constants beyond those of the weights that they are computed from. */
  long computed() {
    return computed;
  }

  /** Adds a complete node. */
  void add(NodeProto node) {
    usesMicrosoft |= node.getDomain().equals(MICROSOFT);
    proto.addNode(node);
  }

  /** A name that no value has yet. */
  String unique(String stem) {
    return "/" + stem + "_" + numbers.merge(stem, 1, Integer::sum);
  }

  /**
   * The finished model.
   *
   * @param others whether a key that no layer asked for may be there all the same: buffers, and
   *     weights of other networks in the same file
   * @return the model, which refers to its weights
   * @throws ModelFormatException if weights are missing, or there are some that no layer uses
   */
  public BuiltModel build(Predicate<String> others) {
    weights.requireAll();
    if (!partial && !unchanged.isEmpty()) {
      throw new ModelFormatException(
          proto.getName() + " has layers that no LoRA can change: " + unchanged);
    }
    weights.requireNoOthers(key -> partial || others.test(key));
    WeightTable.Placed placed = weights.place();
    boolean float8 = weights.hasFloat8();
    ModelProto.Builder model =
        ModelProto.newBuilder()
            .setIrVersion(float8 ? IR_VERSION_WITH_FLOAT8 : IR_VERSION)
            .setProducerName("diffusion4j")
            .addOpsetImport(operators("", float8 ? OPERATORS_WITH_FLOAT8 : OPERATORS));
    if (usesMicrosoft) {
      model.addOpsetImport(operators(MICROSOFT, 1));
    }
    GraphProto graph = proto.clone().addAllInitializer(placed.tensors()).build();
    return new BuiltModel(
        model.setGraph(graph).build().toByteArray(), placed.folder(), placed.buffers());
  }

  private static OperatorSetIdProto operators(String domain, int version) {
    return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
  }

  static List<Long> list(long... values) {
    return Arrays.stream(values).boxed().toList();
  }
}
