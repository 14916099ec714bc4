package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.OnnxType;
import java.util.Arrays;
import java.util.List;

/**
 * The result of a node of a graph in the making, with the operators that take it further. Shapes
 * are known as far as configurations fix them. Immutable.
 */
public final class Value {

  /** A dimension that is known only when the graph runs. */
  public static final long FREE = -1;

  private final Graph graph;
  private final String name;
  private final ElementType type;
  private final long[] shape;

  Value(Graph graph, String name, ElementType type, long... shape) {
    this.graph = requireNonNull(graph, "graph");
    this.name = requireNonNull(name, "name");
    this.type = requireNonNull(type, "type");
    this.shape = shape.clone();
  }

  /**
   * The graph that this is part of.
   *
   * @return the graph
   */
  public Graph graph() {
    return graph;
  }

  String name() {
    return name;
  }

  /**
   * Element type.
   *
   * @return the type
   */
  public ElementType type() {
    return type;
  }

  /**
   * Dimensions.
   *
   * @return a copy; {@link #FREE} where not known
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * Number of dimensions.
   *
   * @return 0 for a scalar
   */
  public int rank() {
    return shape.length;
  }

  /**
   * One dimension.
   *
   * @param axis 0 to rank - 1, or negative, from the end
   * @return its size, {@link #FREE} where not known
   */
  public long dim(int axis) {
    return shape[axis < 0 ? shape.length + axis : axis];
  }

  /**
   * The sum with another value, whose dimensions may be 1 where this value's are not.
   *
   * @param other same type
   * @return elementwise
   */
  public Value plus(Value other) {
    return elementwise("Add", other);
  }

  /**
   * The sum with a number.
   *
   * @param number added to each element
   * @return elementwise
   */
  public Value plus(double number) {
    return plus(graph.scalar(number, type));
  }

  /**
   * The difference from another value.
   *
   * @param other same type
   * @return elementwise
   */
  public Value minus(Value other) {
    return elementwise("Sub", other);
  }

  /**
   * The product with another value, element by element.
   *
   * @param other same type
   * @return elementwise
   */
  public Value times(Value other) {
    return elementwise("Mul", other);
  }

  /**
   * The product with a number.
   *
   * @param number times each element
   * @return elementwise
   */
  public Value times(double number) {
    return times(graph.scalar(number, type));
  }

  /**
   * The quotient by another value, element by element.
   *
   * @param other same type
   * @return elementwise
   */
  public Value over(Value other) {
    return elementwise("Div", other);
  }

  /**
   * The quotient by a number.
   *
   * @param number divides each element
   * @return elementwise
   */
  public Value over(double number) {
    return over(graph.scalar(number, type));
  }

  /**
   * The result of an operator of two values that broadcast against each other.
   *
   * @param operator such as {@code Add}
   * @param other same type
   * @return elementwise, of this type
   */
  public Value elementwise(String operator, Value other) {
    if (other.type != type) {
      throw new IllegalArgumentException(
          operator + " must have values of one type, got " + this + " and " + other);
    }
    return graph.node(operator).in(this, other).out(type, broadcast(other));
  }

  private long[] broadcast(Value other) {
    long[] result = new long[Math.max(rank(), other.rank())];
    for (int i = 1; i <= result.length; i++) {
      long a = i <= rank() ? dim(-i) : 1;
      long b = i <= other.rank() ? other.dim(-i) : 1;
      if (a > 1 && b > 1 && a != b) {
        throw new IllegalArgumentException(this + " and " + other + " do not broadcast");
      }
      result[result.length - i] = a == 1 ? b : b == 1 ? a : Math.max(a, b);
    }
    return result;
  }

  /**
   * The result of an operator that keeps type and shape.
   *
   * @param operator such as {@code Sigmoid}
   * @return elementwise
   */
  public Value map(String operator) {
    return graph.node(operator).in(this).out(type, shape);
  }

  /**
   * Softmax along the last axis.
   *
   * @return each row sums to 1
   */
  public Value softmax() {
    return graph.node("Softmax").in(this).with("axis", -1).out(type, shape);
  }

  /**
   * The product of matrices in the last two dimensions.
   *
   * @param other [..., inner, columns] to this [..., rows, inner]
   * @return [..., rows, columns]
   */
  public Value matmul(Value other) {
    long[] result = rank() >= other.rank() ? shape.clone() : other.shape.clone();
    result[result.length - 2] = dim(-2);
    result[result.length - 1] = other.dim(-1);
    return graph.node("MatMul").in(this, other).out(type, result);
  }

  /**
   * The same elements in another shape.
   *
   * @param dimensions 0 keeps a dimension, -1 is what remains
   * @return as many elements
   */
  public Value reshape(long... dimensions) {
    long[] result = dimensions.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] = result[i] == 0 ? shape[i] : result[i];
    }
    return graph.node("Reshape").in(this, graph.constant(dimensions)).out(type, result);
  }

  /**
   * The same elements in the shape of another value.
   *
   * @param other as many elements
   * @return of its shape
   */
  public Value reshapeAs(Value other) {
    return graph.node("Reshape").in(this, other.sizes()).out(type, other.shape);
  }

  /**
   * The same elements in a shape that is known only in a run.
   *
   * @param sizes the dimensions, int64 vector; -1 is what remains
   * @param known what is known of them
   * @return as many elements
   */
  public Value reshapeTo(Value sizes, long... known) {
    return graph.node("Reshape").in(this, sizes).out(type, known);
  }

  /**
   * This value with more of its shape known than its parts tell.
   *
   * @param known its dimensions
   * @return the same value
   */
  Value knownAs(long... known) {
    return new Value(graph, name, type, known);
  }

  /**
   * The dimensions in a run.
   *
   * @return int64 vector
   */
  public Value sizes() {
    return graph.node("Shape").in(this).out(ElementType.INT64, rank());
  }

  /**
   * One dimension in a run.
   *
   * @param axis 0 to rank - 1
   * @return int64 vector of one element
   */
  public Value size(int axis) {
    return graph
        .node("Shape")
        .in(this)
        .with("start", axis)
        .with("end", axis + 1)
        .out(ElementType.INT64, 1);
  }

  /**
   * Dimensions in another order.
   *
   * @param order for each new dimension the old one
   * @return the elements, moved
   */
  public Value transpose(int... order) {
    long[] permutation = Arrays.stream(order).asLongStream().toArray();
    long[] result = Arrays.stream(order).mapToLong(axis -> shape[axis]).toArray();
    return graph.node("Transpose").in(this).with("perm", permutation).out(type, result);
  }

  /**
   * A part along one axis.
   *
   * @param axis the axis
   * @param from first entry, negative from the end
   * @param to entry after the last, negative from the end, {@link Long#MAX_VALUE} for all
   * @return the entries between
   */
  public Value slice(int axis, long from, long to) {
    long[] result = shape.clone();
    long size = shape[axis];
    if (size == FREE) {
      result[axis] = FREE;
    } else {
      long first = from < 0 ? size + from : from;
      result[axis] = (to < 0 ? size + to : Math.min(size, to)) - first;
    }
    return graph
        .node("Slice")
        .in(this, graph.constant(from), graph.constant(to), graph.constant(axis))
        .out(type, result);
  }

  /**
   * Equal parts along one axis.
   *
   * @param axis the axis, of a known size that the number divides
   * @param parts how many
   * @return the parts in order
   */
  public List<Value> split(int axis, int parts) {
    long[] result = shape.clone();
    int at = axis < 0 ? rank() + axis : axis;
    result[at] = shape[at] / parts;
    long[] sizes = new long[parts];
    Arrays.fill(sizes, result[at]);
    Node node = graph.node("Split").in(this, graph.constant(sizes)).with("axis", at);
    return node.out(parts, type, result);
  }

  /**
   * The sum along one axis, by an operator that has one form in all operator sets of a graph.
   *
   * @param axis the axis
   * @return the same shape but for the axis, which has one entry
   */
  Value sum(int axis) {
    long[] result = shape.clone();
    result[axis] = 1;
    return graph
        .node("ReduceSum")
        .in(this, graph.constant(axis))
        .with("keepdims", 1)
        .out(type, result);
  }

  /**
   * The mean along one axis.
   *
   * @param axis the axis, negative from the last
   * @return the same shape but for the axis, which has one entry
   */
  Value mean(int axis) {
    int at = axis < 0 ? rank() + axis : axis;
    return shape[at] == FREE ? sum(at).over(size(at).cast(type)) : sum(at).over(shape[at]);
  }

  /**
   * Values joined along one axis.
   *
   * @param axis the axis
   * @param parts in order, of one type
   * @return all entries
   */
  public static Value concat(int axis, Value... parts) {
    Value first = parts[0];
    long[] result = first.shape();
    int at = axis < 0 ? result.length + axis : axis;
    for (int i = 1; i < parts.length; i++) {
      long more = parts[i].shape[at];
      result[at] = result[at] == FREE || more == FREE ? FREE : result[at] + more;
    }
    return first.graph.node("Concat").in(parts).with("axis", at).out(first.type, result);
  }

  /**
   * New dimensions of size 1.
   *
   * @param axes their places in the result
   * @return the same elements
   */
  public Value unsqueeze(int... axes) {
    List<Integer> added = Arrays.stream(axes).boxed().toList();
    long[] result = new long[rank() + axes.length];
    int from = 0;
    for (int i = 0; i < result.length; i++) {
      result[i] = added.contains(i) ? 1 : shape[from++];
    }
    Value places = graph.constant(Arrays.stream(axes).asLongStream().toArray());
    return graph.node("Unsqueeze").in(this, places).out(type, result);
  }

  /**
   * Copies along dimensions of size 1.
   *
   * @param sizes the dimensions in a run, int64 vector
   * @param known what is known of them
   * @return of these dimensions
   */
  public Value expand(Value sizes, long... known) {
    return graph.node("Expand").in(this, sizes).out(type, known);
  }

  /**
   * Entries of the first dimension, such as rows of an embedding table.
   *
   * @param indices integers of any shape
   * @return indices' shape followed by an entry's
   */
  public Value gather(Value indices) {
    long[] result = Arrays.copyOf(indices.shape, indices.rank() + rank() - 1);
    System.arraycopy(shape, 1, result, indices.rank(), rank() - 1);
    return graph.node("Gather").in(this, indices).with("axis", 0).out(type, result);
  }

  /**
   * The elements in another type.
   *
   * @param other the type
   * @return this value if it is of that type already
   */
  public Value cast(ElementType other) {
    return other == type
        ? this
        : graph.node("Cast").in(this).with("to", OnnxType.code(other)).out(other, shape);
  }

  @Override
  public String toString() {
    return name + " " + type + Arrays.toString(shape);
  }
}
