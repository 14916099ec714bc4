package io.github.diffusion4j.onnx;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.RuntimeOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One network of a model: what it takes and gives, and its session, which is open all the time or
 * only while a binding uses it, as the runtime's residency says. Thread-safe; closing it while a
 * run is under way is the owner's to prevent.
 */
public final class OrtModel implements AutoCloseable {

  /** Where a network comes from, to open it once more. */
  record Source(
      OrtRuntime runtime,
      String component,
      Path file,
      Optional<NetworkSource> built,
      List<GraphEdit> edits) {
    OrtModel open(GraphEdit edit) throws IOException {
      if (built.isPresent() && edit instanceof GraphEdit.Float32) {
        return runtime.in32Bits().open(component, built.get(), edits);
      }
      List<GraphEdit> all = new ArrayList<>(edits);
      all.add(edit);
      return built.isPresent()
          ? runtime.openWhenNeeded(component, built.get(), all)
          : runtime.openWhenNeeded(component, file, all);
    }

    NetworkSource network() {
      return built.orElseGet(() -> new OnnxNetwork(file));
    }

    /** All changes, those that the network makes by itself among them. */
    List<GraphEdit> allEdits() {
      return new EditedNetwork(network(), edits).edits();
    }
  }

  private final Source source;
  private final String component;
  private final NetworkSession session;
  private final Map<GraphEdit, OrtModel> variants = new HashMap<>();
  private final SortedSet<String> changeable = new TreeSet<>();
  private Map<String, LowRank.Shape> layers = Map.of();
  private final Closer owned;
  private final Signature signature;

  /** Takes over what {@code open} owns, the session among it. */
  OrtModel(Source source, Signature signature, NetworkSession session, Closer open) {
    this.source = source;
    this.component = source.component();
    this.signature = signature;
    this.session = session;
    this.owned = open.release();
  }

  /**
   * What this network is in its model.
   *
   * @return folder name such as {@code unet}
   */
  public String component() {
    return component;
  }

  /**
   * The inputs in the network's order, without those for changes of layers.
   *
   * @return specs by name
   */
  public Map<String, TensorSpec> inputs() {
    return signature.inputs();
  }

  /**
   * The outputs in the network's order.
   *
   * @return specs by name
   */
  public Map<String, TensorSpec> outputs() {
    return signature.outputs();
  }

  /**
   * An input that must be there.
   *
   * @param name its name
   * @return its spec
   * @throws ModelFormatException if the network has no such input
   */
  public TensorSpec input(String name) {
    return find(inputs(), "input", List.of(name));
  }

  /**
   * An output that must be there.
   *
   * @param names names it goes by, the usual one first
   * @return its spec
   * @throws ModelFormatException if the network has no such output
   */
  public TensorSpec output(String... names) {
    return find(outputs(), "output", List.of(names));
  }

  private TensorSpec find(Map<String, TensorSpec> specs, String what, List<String> names) {
    return names.stream()
        .filter(specs::containsKey)
        .findFirst()
        .map(specs::get)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    component
                        + ": the network has no "
                        + what
                        + " \""
                        + names.get(0)
                        + "\"; it has "
                        + specs.values().stream()
                            .map(TensorSpec::toString)
                            .collect(Collectors.joining(", "))
                        + ". Export the model with the names of Hugging Face optimum."));
  }

  /**
   * Checks an input or output at load.
   *
   * @param spec from {@link #input} or {@link #output}
   * @param types element types that will do
   * @param ranks numbers of dimensions that will do
   * @return the spec
   * @throws ModelFormatException if type or rank is another
   */
  public TensorSpec require(TensorSpec spec, Set<ElementType> types, Set<Integer> ranks) {
    if (!types.contains(spec.type())) {
      throw new ModelFormatException(
          component + ": " + spec + " has the wrong type, expected one of " + types);
    }
    if (!ranks.contains(spec.rank())) {
      throw new ModelFormatException(
          component
              + ": "
              + spec
              + " has "
              + spec.rank()
              + " dimensions, expected "
              + ranks.stream().sorted().map(String::valueOf).collect(Collectors.joining(" or ")));
    }
    return spec;
  }

  /**
   * Checks that nothing beside the known inputs must be given.
   *
   * @param known names that the caller gives
   * @throws ModelFormatException if the network has another input
   */
  public void requireNoOtherInputs(Set<String> known) {
    Optional<TensorSpec> other =
        inputs().values().stream().filter(spec -> !known.contains(spec.name())).findFirst();
    if (other.isPresent()) {
      throw new ModelFormatException(
          component
              + ": the network has an input "
              + other.get()
              + " that this kind of model does not have, expected only "
              + known.stream().sorted().toList());
    }
  }

  /**
   * Prepares one or a few runs, after each of which the memory of intermediate results is given
   * back; opens the session if it is not open.
   *
   * @param cancel stops a running call
   * @return owned by the caller
   * @throws ModelFormatException if the session is opened now and the file is not what it should be
   * @throws io.github.diffusion4j.InferenceException if the session is opened now and the file
   *     cannot be read
   */
  public OrtBinding bind(CancelToken cancel) {
    return new OrtBinding(this, cancel, OrtBinding.FreedMemory.GIVEN_BACK);
  }

  /**
   * Prepares the many runs of one generation's steps, which keep the memory of intermediate results
   * from one to the next; opens the session if it is not open.
   *
   * @param cancel stops a running call
   * @return owned by the caller
   * @throws ModelFormatException if the session is opened now and the file is not what it should be
   * @throws io.github.diffusion4j.InferenceException if the session is opened now and the file
   *     cannot be read
   */
  public OrtBinding bindForSteps(CancelToken cancel) {
    return new OrtBinding(this, cancel, OrtBinding.FreedMemory.KEPT);
  }

  /**
   * What this network was opened from, for use in another one.
   *
   * @return builds its graph, with the changes that were made when it was opened
   */
  public NetworkSource network() {
    return new EditedNetwork(source.network(), source.edits());
  }

  /**
   * The file that this network was opened from.
   *
   * @return an ONNX model, or the weights of a network that was built
   */
  public Path file() {
    return source.file();
  }

  /**
   * Reads the weight whose name ends so.
   *
   * @param suffix such as {@code final_layer_norm.weight}
   * @return its values, row-major; empty if there is no such weight
   * @throws IOException if its file cannot be read
   * @throws ModelFormatException if several end so, or its values are not floats or not there
   */
  public Optional<Floats> weightEnding(String suffix) throws IOException {
    return source.built().isPresent()
        ? source.built().get().weightEnding(suffix)
        : OnnxWeights.of(file()).ending(suffix);
  }

  /**
   * The options that this network was opened with.
   *
   * @return those of its runtime
   */
  public RuntimeOptions options() {
    return source.runtime().options();
  }

  /**
   * This network with a change of its graph: a second session, opened when it is first used. When
   * the layers above a cut are asked for, those above other cuts are closed as soon as nobody uses
   * them.
   *
   * @param edit the change
   * @return the same network for the same edit; closed with this one
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if the graph cannot be changed so
   */
  public OrtModel edited(GraphEdit edit) throws IOException {
    synchronized (variants) {
      OrtModel variant = variants.get(edit);
      if (variant == null) {
        variant = owned.own(source.open(edit));
        variants.put(edit, variant);
      }
      if (edit instanceof GraphEdit.DeepFeatureInput) {
        keepOnly(edit);
      }
      return variant;
    }
  }

  /**
   * The layers with a weight.
   *
   * @return the weights' shapes by the layers' names, such as {@code mid_block.resnets.0.conv1};
   *     empty if the file's names do not tell
   * @throws IOException if the file cannot be read
   */
  public Map<String, LowRank.Shape> layers() throws IOException {
    synchronized (variants) {
      if (layers.isEmpty()) {
        layers = source.network().layers();
      }
      return layers;
    }
  }

  /**
   * Whether {@link OrtBinding#change} may change a layer.
   *
   * @param layer one of {@link #layers}
   * @return whether the network has inputs for it
   */
  public boolean takesChangeOf(String layer) {
    return signature.changes().containsKey(GraphEdit.LowRankInputs.down(layer));
  }

  /** The inputs for changes of layers. */
  Map<String, TensorSpec> changeInputs() {
    return signature.changes();
  }

  /**
   * This network with inputs for changes of layers: itself where it has them, else a second
   * session, opened when it is first used. When other layers are asked for later, one more is made
   * for all layers asked for so far, and the earlier ones are closed as soon as nobody uses them.
   *
   * @param names of {@link #layers}
   * @return a network whose bindings take {@link OrtBinding#change}; closed with this one
   * @throws IOException if the file cannot be read
   */
  public OrtModel changeable(Set<String> names) throws IOException {
    synchronized (variants) {
      SortedSet<String> missing = new TreeSet<>(names);
      missing.removeIf(this::takesChangeOf);
      if (missing.isEmpty()) {
        return this;
      }
      missing.addAll(changeable);
      GraphEdit latest = new GraphEdit.LowRankInputs(missing);
      OrtModel model = edited(latest); // refuses layers that cannot be changed
      changeable.addAll(missing);
      keepOnly(latest);
      return model;
    }
  }

  /** Of all variants with such an edit only this one stays open between two uses. */
  private void keepOnly(GraphEdit latest) {
    variants.forEach(
        (edit, variant) -> {
          if (edit.equals(latest)) {
            variant.session.keep();
          } else if (edit.getClass() == latest.getClass()) {
            variant.supersede();
          }
        });
  }

  private void supersede() {
    session.supersede();
    synchronized (variants) {
      variants.values().forEach(OrtModel::supersede);
    }
  }

  /**
   * This network computing in 32-bit floats, where it has binary16 in it: a second session, opened
   * when first asked for.
   *
   * @return closed with this one; empty if there is nothing to widen
   * @throws IOException if the file cannot be read
   * @throws ModelFormatException if the graph cannot be changed so
   */
  public Optional<OrtModel> widened() throws IOException {
    boolean narrow =
        Stream.concat(inputs().values().stream(), outputs().values().stream())
            .anyMatch(spec -> spec.type() == ElementType.FLOAT16);
    if (!narrow && source.built().isEmpty()) { // inputs may be wide where the inside is not
      narrow = OnnxFile.read(file()).elements().containsKey(OnnxType.FLOAT16);
    }
    return narrow ? Optional.of(edited(new GraphEdit.Float32())) : Optional.empty();
  }

  NetworkSession session() {
    return session;
  }

  /** Whether it runs on the CPU. */
  boolean onCpu() {
    return source.runtime().onCpu();
  }

  /** The memory arenas of its sessions. */
  String arenas() {
    return source.runtime().arenas();
  }

  @Override
  public void close() {
    owned.close();
  }
}
