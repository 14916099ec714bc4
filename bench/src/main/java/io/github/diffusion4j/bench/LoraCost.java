package io.github.diffusion4j.bench;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LoraInputs;
import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.family.ModelLayout;
import io.github.diffusion4j.graph.BuiltNetwork;
import io.github.diffusion4j.onnx.BuiltModel;
import io.github.diffusion4j.onnx.Closer;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.onnx.NetworkSource;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtModel;
import io.github.diffusion4j.onnx.OrtRuntime;
import io.github.diffusion4j.onnx.TensorSpec;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * What a LoRA of random numbers on all attention and feed-forward layers of a built UNet costs: the
 * network without inputs for LoRAs, with them, without and with a LoRA; the one without them opened
 * once more with inputs, as models of ONNX files are; and with the LoRA merged. Prints processor
 * time of the thread, which does all the work, for the quickest evaluation of two rows; those that
 * are compared run in turn.
 */
public final class LoraCost {

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private static final int ROWS = 2;
  private static final int TOKENS = 77;

  private LoraCost() {}

  /**
   * Measures.
   *
   * @param args {@code MODEL SIZE RANK RUNS}; SIZE is that of the latents
   * @throws IOException if the model cannot be read
   */
  public static void main(String... args) throws IOException {
    if (args.length != 4) {
      System.err.println("arguments: MODEL SIZE RANK RUNS");
      System.exit(2);
    }
    BuiltNetwork network =
        ModelLayout.of(Models.folder(args[0])).network("unet").built().orElseThrow();
    OrtRuntime runtime =
        OrtRuntime.of(
            RuntimeOptions.builder()
                .intraOpThreads(1)
                .winograd(false)
                .loraInputs(LoraInputs.ALWAYS)
                .build());
    int size = Integer.parseInt(args[1]);
    int runs = Integer.parseInt(args[3]);
    Map<String, LowRank> changes;
    try (Closer open = new Closer()) {
      OrtModel model = open.own(runtime.open("unet", network, List.of()));
      OrtModel without = open.own(runtime.open("unet", new WithoutInputs(network), List.of()));
      changes = changes(model, Integer.parseInt(args[2]));
      System.out.println(changes.size() + " layers of " + model.layers().size());
      OrtBinding changed = open.own(bound(model.changeable(changes.keySet()), size));
      changed.change(changes);
      OrtBinding opened = open.own(bound(without.changeable(changes.keySet()), size));
      opened.change(changes);
      OrtBinding never = open.own(bound(without, size));
      OrtBinding none = open.own(bound(model, size));
      print(
          quickest(runs, never, none, changed, opened),
          "without inputs",
          "no LoRA",
          "a LoRA",
          "a LoRA in a second session");
    }
    try (Closer open = new Closer()) {
      List<GraphEdit> merging = List.of(new GraphEdit.Merged("random", changes));
      OrtBinding none = open.own(bound(open.own(runtime.open("unet", network, List.of())), size));
      OrtBinding merged = open.own(bound(open.own(runtime.open("unet", network, merging)), size));
      print(quickest(runs, none, merged), "no LoRA", "merged");
    }
  }

  /** The network as exports have it. */
  private record WithoutInputs(BuiltNetwork network) implements NetworkSource {
    @Override
    public BuiltModel build(OrtRuntime runtime, List<GraphEdit> edits) throws IOException {
      return network.build(RuntimeOptions.Precision.FLOAT32, edits);
    }

    @Override
    public Path file() {
      return network.file();
    }

    @Override
    public Optional<Floats> weightEnding(String suffix) throws IOException {
      return network.weightEnding(suffix);
    }
  }

  private static void print(double[] seconds, String... names) {
    for (int i = 0; i < names.length; i++) {
      System.out.printf("%s: %.4f s, ratio %.3f%n", names[i], seconds[i], seconds[i] / seconds[0]);
    }
  }

  /** Seconds of processor time of each one's quickest run, after one that warms up. */
  static double[] quickest(int runs, OrtBinding... bindings) {
    Runnable[] all = Arrays.stream(bindings).map(b -> (Runnable) b::run).toArray(Runnable[]::new);
    return quickest(runs, all);
  }

  /** Likewise of anything. */
  static double[] quickest(int runs, Runnable... all) {
    double[] seconds = new double[all.length];
    Arrays.fill(seconds, Double.POSITIVE_INFINITY);
    for (int i = 0; i <= runs; i++) {
      for (int k = 0; k < all.length; k++) {
        long start = THREADS.getCurrentThreadCpuTime();
        all[k].run();
        double spent = (THREADS.getCurrentThreadCpuTime() - start) / 1e9;
        seconds[k] = i == 0 ? seconds[k] : Math.min(seconds[k], spent);
      }
    }
    return seconds;
  }

  /** Random changes of all layers of a UNet's transformers. */
  static Map<String, LowRank> changes(OrtModel model, int rank) throws IOException {
    Random random = new Random(1);
    Map<String, LowRank> changes = new TreeMap<>();
    model
        .layers()
        .forEach(
            (name, shape) -> {
              if (name.contains("transformer_blocks")) {
                float[] down = values(random, rank * shape.columns());
                float[] up = values(random, rank * shape.out());
                changes.put(name, LowRank.of(shape, down, up));
              }
            });
    return changes;
  }

  private static OrtBinding bound(OrtModel model, int size) {
    Random random = new Random(2);
    OrtBinding binding = model.bind(new CancelToken());
    TensorSpec sample = model.input("sample");
    int channels = (int) sample.dim(1);
    int width = (int) model.input("encoder_hidden_states").dim(2);
    binding
        .input("sample", ROWS, channels, size, size)
        .put(values(random, ROWS * channels * size * size));
    binding
        .input("encoder_hidden_states", ROWS, TOKENS, width)
        .put(values(random, ROWS * TOKENS * width));
    binding.input("timestep").fill(500);
    binding.output("out_sample", ROWS, channels, size, size);
    return binding;
  }

  /** Small random numbers. */
  static float[] values(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 100;
    }
    return values;
  }
}
