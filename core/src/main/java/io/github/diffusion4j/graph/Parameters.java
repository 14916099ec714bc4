package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.tensor.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** What parameters a network has, told without any weights. */
public final class Parameters {

  private Parameters() {}

  /**
   * The parameters of a network.
   *
   * @param architecture its kind and sizes
   * @return shapes by key, as a file of its weights has them; unmodifiable
   */
  public static Map<String, List<Long>> of(Architecture architecture) {
    Recorder recorder = new Recorder();
    architecture.addTo(
        new Graph("parameters", recorder, new GraphOptions(ElementType.FLOAT32, true)), List.of());
    return Collections.unmodifiableMap(recorder.shapes);
  }

  /** Has every weight in the shape that is asked for. */
  private static final class Recorder implements Weights {

    private final Map<String, List<Long>> shapes = new TreeMap<>();

    @Override
    public Optional<Weight> find(String key, long... expected) {
      List<Long> shape = new ArrayList<>();
      Arrays.stream(expected).forEach(shape::add);
      shapes.put(key, shape);
      long elements = shape.stream().reduce(1L, Math::multiplyExact);
      Weight.InFile nowhere = new Weight.InFile(Path.of("nowhere"), 0, elements * Float.BYTES);
      return Optional.of(new Weight(TensorType.F32, shape, nowhere, false));
    }

    /** Layers ask in this way whether they have a bias, or how else their weights are stored. */
    @Override
    public Optional<Weight> find(String key) {
      return key.endsWith(".bias") ? find(key, new long[] {1}) : Optional.empty();
    }

    @Override
    public Set<String> keys() {
      return shapes.keySet();
    }

    @Override
    public String source() {
      return "nowhere";
    }
  }
}
