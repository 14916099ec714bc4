package io.github.diffusion4j.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.GenerationCancelledException;
import io.github.diffusion4j.InferenceException;
import io.github.diffusion4j.LowRank;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * One generation's use of one network: its tensors, wrapped once and used for every step, and the
 * switch that stops a running call when the generation is cancelled. Outputs bound with {@link
 * #output} are written straight into their tensor. Not thread-safe.
 */
public final class OrtBinding implements AutoCloseable {

  private final OrtModel model;
  private final CancelToken cancel;
  private final OrtSession session;
  private final OrtSession.RunOptions options;
  private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
  private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
  private final Closer owned;

  /** Whether memory that runs free is kept for the next run, or given back after each. */
  enum FreedMemory {
    KEPT,
    GIVEN_BACK
  }

  private static final String SHRINKING = "memory.enable_memory_arena_shrinkage";

  OrtBinding(OrtModel model, CancelToken cancel, FreedMemory freed) {
    this.model = model;
    this.cancel = cancel;
    try (Closer open = new Closer()) {
      session = acquire();
      open.own(() -> model.session().release());
      options = new OrtSession.RunOptions();
      NativeCount.opened();
      open.own(
          () -> {
            options.close();
            NativeCount.closed();
          });
      if (freed == FreedMemory.GIVEN_BACK && model.options().memoryArena()) {
        options.addRunConfigEntry(SHRINKING, model.arenas());
      }
      open.own(cancel.onCancel(this::terminate));
      owned = open.release();
    } catch (OrtException e) {
      throw new InferenceException(model.component(), "cannot make run options", e);
    }
    try {
      leaveUnchanged();
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  private OrtSession acquire() {
    try {
      return model.session().acquire();
    } catch (IOException e) {
      throw new InferenceException(
          model.component(), "cannot be opened from " + model.file() + ": " + e.getMessage(), e);
    }
  }

  private void terminate() {
    try {
      options.setTerminate(true);
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Makes a tensor of an input's type, not yet bound; this binding closes it.
   *
   * @param name an input of the network
   * @param shape dimensions that the network accepts there
   * @return the tensor
   */
  public OrtTensor allocate(String name, long... shape) {
    return allocate(model.input(name), shape);
  }

  private OrtTensor allocate(TensorSpec spec, long... shape) {
    if (!spec.accepts(shape)) {
      throw new IllegalArgumentException(
          model.component()
              + ": "
              + spec
              + " does not take a tensor of shape "
              + TensorSpec.describe(shape));
    }
    try {
      return owned.own(new OrtTensor(spec.type(), shape));
    } catch (OrtException e) {
      throw new InferenceException(model.component(), "cannot make tensor " + spec, e);
    }
  }

  /**
   * Gives a tensor to an input, in place of an earlier one.
   *
   * @param name an input of the network
   * @param tensor from {@link #allocate}, or of another binding that is not closed before this
   *     one's last run
   */
  public void use(String name, OrtTensor tensor) {
    inputs.put(name, tensor.tensor());
  }

  /**
   * Makes a tensor and gives it to an input.
   *
   * @param name an input of the network
   * @param shape dimensions that the network accepts there
   * @return the tensor, to be filled before each run
   */
  public OrtTensor input(String name, long... shape) {
    return input(model.input(name), shape);
  }

  private OrtTensor input(TensorSpec spec, long... shape) {
    OrtTensor tensor = allocate(spec, shape);
    use(spec.name(), tensor);
    return tensor;
  }

  /**
   * Makes a tensor that a run writes an output into.
   *
   * @param name an output of the network
   * @param shape the output's dimensions, exactly
   * @return the tensor, to be read after each run
   */
  public OrtTensor output(String name, long... shape) {
    OrtTensor tensor = allocate(model.output(name), shape);
    write(name, tensor);
    return tensor;
  }

  /** Inputs for changes of layers get what changes nothing; those alike share a tensor. */
  private void leaveUnchanged() {
    Map<List<?>, OrtTensor> shared = new HashMap<>();
    for (TensorSpec spec : model.changeInputs().values()) {
      List<?> alike = List.of(spec.type(), spec.shape());
      use(spec.name(), shared.computeIfAbsent(alike, absent -> unchanged(spec)));
    }
  }

  /** One row; a matrix of rank 0 where its products are known to work, a kernel of rank 1. */
  private OrtTensor unchanged(TensorSpec spec) {
    boolean rows = spec.name().equals(GraphEdit.LowRankInputs.ROWS);
    boolean known = model.onCpu() && spec.rank() == 2 && spec.type() == ElementType.FLOAT32;
    long rank = known ? 0 : 1;
    long[] shape = spec.shape().stream().mapToLong(dim -> dim < 0 ? rank : dim).toArray();
    OrtTensor tensor = allocate(spec, shape);
    tensor.fill(rows ? 1 : 0);
    return tensor;
  }

  /**
   * Gives changes of low rank to a network that takes them; its other layers stay as they are.
   *
   * @param changes by layer
   * @throws IllegalArgumentException if the network has no inputs for one of them
   */
  public void change(Map<String, LowRank> changes) {
    Set<String> unknown = new TreeSet<>(changes.keySet());
    unknown.removeIf(model::takesChangeOf);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          model.component() + " takes no changes of the layers " + unknown);
    }
    changes.forEach(this::change);
    TensorSpec rows = model.changeInputs().get(GraphEdit.LowRankInputs.ROWS);
    if (rows != null && changes.keySet().stream().anyMatch(this::isMatrix)) {
      input(rows, 1).fill(Long.MAX_VALUE);
    }
  }

  private boolean isMatrix(String layer) {
    return model.changeInputs().get(GraphEdit.LowRankInputs.down(layer)).rank() == 2;
  }

  private void change(String layer, LowRank change) {
    TensorSpec down = model.changeInputs().get(GraphEdit.LowRankInputs.down(layer));
    TensorSpec up = model.changeInputs().get(GraphEdit.LowRankInputs.up(layer));
    LowRank.Shape shape = change.shape();
    long rank = change.rank();
    boolean matrix = isMatrix(layer);
    OrtTensor first =
        matrix
            ? input(down, rank, shape.in())
            : input(down, rank, shape.in(), shape.height(), shape.width());
    OrtTensor second = matrix ? input(up, shape.out(), rank) : input(up, shape.out(), rank, 1, 1);
    first.put(change.down());
    second.put(change.up());
  }

  /**
   * Has runs write an output into a tensor, in place of an earlier one: such as one that is another
   * network's input, so that nothing is copied between the two.
   *
   * @param name an output of the network
   * @param tensor of the output's type and exact shape; of this or another binding that is not
   *     closed before this one's last run
   */
  public void write(String name, OrtTensor tensor) {
    outputs.put(name, tensor.tensor());
  }

  /**
   * A tensor over a part of another one: both see the same values. This binding closes it.
   *
   * @param tensor the whole
   * @param from first element
   * @param shape dimensions of the part
   * @return the part
   */
  public OrtTensor view(OrtTensor tensor, int from, long... shape) {
    try {
      return owned.own(tensor.view(from, shape));
    } catch (OrtException e) {
      throw new InferenceException(model.component(), "cannot make a part of a tensor", e);
    }
  }

  /**
   * Runs the network on the bound inputs into the bound outputs.
   *
   * @throws GenerationCancelledException if the generation was cancelled before or during the run
   * @throws InferenceException if the network fails
   */
  public void run() {
    call(Set.of()).close();
  }

  /**
   * Runs the network, and makes a tensor of an output whose shape is not known beforehand: later
   * runs write into it.
   *
   * @param name an output of the network
   * @return the tensor with the output's values; this binding closes it
   * @throws GenerationCancelledException if the generation was cancelled before or during the run
   * @throws InferenceException if the network fails
   */
  public OrtTensor runInto(String name) {
    outputs.remove(name);
    try (OrtSession.Result result = call(Set.of(name))) {
      OnnxTensor value = (OnnxTensor) result.get(name).orElseThrow();
      OrtTensor tensor = output(name, value.getInfo().getShape());
      tensor.put(value.getByteBuffer());
      return tensor;
    }
  }

  /**
   * Runs the network and copies outputs whose shape is not known beforehand: for networks that run
   * once a generation.
   *
   * @param names outputs of the network
   * @return values and shape of each
   * @throws GenerationCancelledException if the generation was cancelled before or during the run
   * @throws InferenceException if the network fails
   */
  public Map<String, OrtOutput> fetch(Set<String> names) {
    try (OrtSession.Result result = call(names)) {
      Map<String, OrtOutput> values = new LinkedHashMap<>();
      for (String name : names) {
        OnnxValue value = result.get(name).orElseThrow();
        values.put(name, read(name, (OnnxTensor) value));
      }
      return values;
    }
  }

  private OrtOutput read(String name, OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer(); // widens the 16-bit types
    if (buffer == null) {
      throw new InferenceException(
          model.component(), "output " + model.output(name) + " does not hold floats", null);
    }
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return new OrtOutput(values, tensor.getInfo().getShape());
  }

  private OrtSession.Result call(Set<String> names) {
    cancel.throwIfCancelled();
    try {
      return session.run(inputs, names, outputs, options);
    } catch (OrtException e) {
      if (cancel.isCancelled()) {
        throw new GenerationCancelledException(
            "the generation was cancelled while " + model.component() + " ran");
      }
      throw new InferenceException(model.component(), explained(e), e);
    }
  }

  private static String explained(OrtException e) {
    String message = e.getCode() + ": " + e.getMessage();
    return message.contains("Failed to allocate memory")
        ? "not enough memory for its intermediate results; use a smaller size or fewer images, or"
            + " run guidance's branches one by one ("
            + message
            + ")"
        : message;
  }

  @Override
  public void close() {
    owned.close();
  }
}
